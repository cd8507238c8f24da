import { useEffect } from 'react';
import { useSession } from '@/app/context';

/** Notes for each message that arrives how long it took to be painted. Costs two tasks a message, and no drawing. */
export function usePaintTimings(): void {
  const { link, timings } = useSession();
  useEffect(
    () =>
      link.frames.on((frame) => {
        // Nothing is painted in a page that nobody sees, and what was missed is shown all at once.
        if (frame.type !== 'message.new' || frame.queued || document.visibilityState !== 'visible') return;
        const received = performance.now();
        afterPaint(() => timings.add('receiveToPaint', performance.now() - received));
      }),
    [link, timings],
  );
}

/** An animation frame comes before the paint; the task that it queues comes after it. */
function afterPaint(run: () => void): void {
  requestAnimationFrame(() => {
    const { port1, port2 } = new MessageChannel();
    port2.onmessage = () => {
      port1.close();
      run();
    };
    port1.postMessage(null);
  });
}
