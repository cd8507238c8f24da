import { useEffect } from 'react';
import { useSession } from '@/app/context';

/** Records how long each received message took to be painted. Costs two tasks a message, and no rendering. */
export function usePaintTimings(): void {
  const { link, timings } = useSession();
  useEffect(
    () =>
      link.frames.on((frame) => {
        // A hidden page paints nothing, and missed messages are shown all at once.
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
