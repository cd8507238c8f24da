import { type RefObject, useEffect, useRef } from 'react';

/** A finger that moved this far has a clear direction. */
const DECIDED_PX = 12;
/** Share of the pane's width: a longer swipe goes back, a shorter one is reverted. */
const FAR_ENOUGH = 0.3;
/** A faster swipe goes back, whatever its length (pixels per millisecond). */
const FAST = 0.5;

interface Swipe {
  x: number;
  y: number;
  at: number;
  moved: number;
  decided: boolean;
}

/**
 * On a narrow screen the pane follows a finger that swipes from its start to its end (to the right, or to the left
 * in a right-to-left language) and goes back when it is released far enough along.
 */
export function useSwipeBack(pane: RefObject<HTMLElement | null>, onBack: () => void): void {
  const back = useRef(onBack);
  back.current = onBack;
  useEffect(() => {
    const element = pane.current;
    if (element === null) return;
    let swipe: Swipe | null = null;

    const settle = (px: number) => {
      element.style.transform = px === 0 ? '' : `translateX(${px}px)`;
    };
    const start = (event: TouchEvent) => {
      const [touch] = event.touches;
      const target = event.target as Element;
      swipe = null;
      if (touch === undefined || event.touches.length > 1 || !matchMedia('(max-width: 639px)').matches)
        return;
      if (target.closest('textarea, input, dialog, [role="menu"]') !== null || scrollsSideways(target))
        return;
      swipe = { x: touch.clientX, y: touch.clientY, at: event.timeStamp, moved: 0, decided: false };
    };
    const move = (event: TouchEvent) => {
      const [touch] = event.touches;
      if (swipe === null || touch === undefined) return;
      const forward = getComputedStyle(element).direction === 'rtl' ? -1 : 1;
      const along = (touch.clientX - swipe.x) * forward;
      const across = Math.abs(touch.clientY - swipe.y);
      if (!swipe.decided) {
        if (across > DECIDED_PX || along < -DECIDED_PX) swipe = null;
        else if (along > DECIDED_PX && along > across * 2) swipe.decided = true;
        if (swipe === null || !swipe.decided) return;
      }
      swipe.moved = Math.max(0, along);
      settle(swipe.moved * forward);
    };
    const end = (event: TouchEvent) => {
      const done = swipe;
      swipe = null;
      settle(0);
      if (done === null || !done.decided || event.type === 'touchcancel') return;
      const far = done.moved > element.clientWidth * FAR_ENOUGH;
      const fast = done.moved / Math.max(1, event.timeStamp - done.at) > FAST;
      if (far || fast) back.current();
    };

    element.addEventListener('touchstart', start, { passive: true });
    element.addEventListener('touchmove', move, { passive: true });
    element.addEventListener('touchend', end, { passive: true });
    element.addEventListener('touchcancel', end, { passive: true });
    return () => {
      element.removeEventListener('touchstart', start);
      element.removeEventListener('touchmove', move);
      element.removeEventListener('touchend', end);
      element.removeEventListener('touchcancel', end);
    };
  }, [pane]);
}

/** Code and tables scroll with the same gesture and take precedence. */
function scrollsSideways(target: Element): boolean {
  for (let one: Element | null = target; one !== null && one.role !== 'feed'; one = one.parentElement) {
    if (one.scrollWidth > one.clientWidth + 1 && /auto|scroll/.test(getComputedStyle(one).overflowX))
      return true;
  }
  return false;
}
