/** Less than this has no clear direction yet. */
const SLOP_PX = 2;

/**
 * For the `ref` of an element that scrolls sideways: ignores a swipe beyond the end of the element. Otherwise the
 * browser would go back or forward in the history, which `overscroll-behavior` does not prevent everywhere. Used only
 * here, because a listener that may cancel a movement delays scrolling.
 */
export function keepSwipes(element: HTMLElement | null): (() => void) | undefined {
  if (element === null) return undefined;
  let from: Touch | undefined;
  const start = (event: TouchEvent) => {
    from = event.touches.length === 1 ? event.touches[0] : undefined;
  };
  const move = (event: TouchEvent) => {
    const to = event.touches[0];
    const room = element.scrollWidth - element.clientWidth;
    if (from === undefined || to === undefined || room <= 1 || !event.cancelable) return;
    const along = to.clientX - from.clientX;
    if (Math.abs(along) < SLOP_PX || Math.abs(along) < Math.abs(to.clientY - from.clientY)) return;
    // In right-to-left text it counts down from 0.
    const rtl = getComputedStyle(element).direction === 'rtl';
    const left = rtl ? room + element.scrollLeft : element.scrollLeft;
    if (along > 0 ? left < 1 : left > room - 1) event.preventDefault();
  };
  element.addEventListener('touchstart', start, { passive: true });
  element.addEventListener('touchmove', move, { passive: false });
  return () => {
    element.removeEventListener('touchstart', start);
    element.removeEventListener('touchmove', move);
  };
}
