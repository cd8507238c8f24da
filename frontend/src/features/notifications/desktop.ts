/** Desktop notifications: shown one after the other, and removed once they are read on any device. */

export interface Told {
  conversationId: string;
  title: string;
  body: string;
}

export class DesktopNotifications {
  /** Each step waits for the previous one, so that a pending notification is not missed when it is removed. */
  #last: Promise<void> = Promise.resolve();

  show({ conversationId, title, body }: Told): void {
    const options = { body, tag: conversationId, icon: './icons/icon-192.png', data: { conversationId } };
    // Through the service worker if there is one, because phones require it.
    this.#then((worker) => worker.showNotification(title, options));
  }

  /** Closes notifications of conversations without unread messages, whichever tab or earlier page has shown them. */
  keepOnly(unread: (conversationId: string) => boolean): void {
    this.#then(async (worker) => {
      for (const one of await worker.getNotifications()) {
        const { conversationId } = (one.data ?? {}) as { conversationId?: string };
        if (conversationId !== undefined && !unread(conversationId)) one.close();
      }
    });
  }

  #then(step: (worker: ServiceWorkerRegistration) => Promise<void>): void {
    const { serviceWorker } = navigator;
    if (serviceWorker === undefined || globalThis.Notification?.permission !== 'granted') return;
    this.#last = this.#last.then(() => serviceWorker.ready.then(step)).catch(() => undefined);
  }
}
