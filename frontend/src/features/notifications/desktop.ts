/** Notifications outside of the page: shown one after the other, and taken away again once they are read anywhere. */

export interface Told {
  conversationId: string;
  title: string;
  body: string;
}

export class DesktopNotifications {
  /** Each step waits for the one before, so that what is about to be shown is not overlooked when it is taken away. */
  #last: Promise<void> = Promise.resolve();

  show({ conversationId, title, body }: Told): void {
    const options = { body, tag: conversationId, icon: './icons/icon-192.png', data: { conversationId } };
    // Through the worker where there is one: phones know no other way.
    this.#then((worker) => worker.showNotification(title, options));
  }

  /** Closes those of conversations in which nothing is unread, whichever tab or earlier page has shown them. */
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
