import type { ReactNode } from 'react';

/** A button whose menu is still loading. A press is not lost: the menu opens when it is loaded. */
export function EarlyTrigger({ onPress, children }: { onPress: () => void; children: ReactNode }) {
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: it only handles events of the button inside.
    // biome-ignore lint/a11y/useKeyWithClickEvents: keys also click the button.
    <span className="contents" onClick={onPress}>
      {children}
    </span>
  );
}
