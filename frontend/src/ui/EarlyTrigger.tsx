import type { ReactNode } from 'react';

/** A button whose menu is still being fetched: a press is not lost, it opens as soon as it is there. */
export function EarlyTrigger({ onPress, children }: { onPress: () => void; children: ReactNode }) {
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: it only hears of the button inside.
    // biome-ignore lint/a11y/useKeyWithClickEvents: keys make a click of the button too.
    <span className="contents" onClick={onPress}>
      {children}
    </span>
  );
}
