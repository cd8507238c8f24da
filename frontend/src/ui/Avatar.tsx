import { Users } from 'lucide-react';
import { cx } from '@/lib/cx';
import type { PresenceState } from '@/protocol';

type Size = 'small' | 'normal' | 'large';

const SIZES: Record<Size, string> = {
  small: 'size-8 text-xs',
  normal: 'size-10 text-sm',
  large: 'size-20 text-2xl',
};

/** At most two letters: the first of the first and of the last word. */
export function initials(name: string): string {
  const words = name.trim().split(/\s+/).filter(Boolean);
  const letters = [words[0], words.length > 1 ? words.at(-1) : undefined].map((word) =>
    word === undefined
      ? ''
      : (new Intl.Segmenter().segment(word)[Symbol.iterator]().next().value?.segment ?? ''),
  );
  return letters.join('').toUpperCase();
}

/** The same user has the same colour everywhere; eight hues with enough contrast for white text. */
export function hueOf(id: string): number {
  let hash = 0;
  for (const char of id) hash = (hash * 31 + char.charCodeAt(0)) % 997;
  return hash % 8;
}

const HUES = [
  'bg-[#3b5bb5]',
  'bg-[#7a4bb0]',
  'bg-[#a8406f]',
  'bg-[#a64b2a]',
  'bg-[#7c641a]',
  'bg-[#2f7242]',
  'bg-[#1f6f78]',
  'bg-[#54606f]',
];

export interface AvatarProps {
  id: string;
  name: string;
  url?: string | null;
  size?: Size;
  group?: boolean;
  presence?: PresenceState['state'] | undefined;
}

/** Decorative: the name is always shown beside it as text. */
export function Avatar({ id, name, url, size = 'normal', group = false, presence }: AvatarProps) {
  return (
    <span aria-hidden className="relative inline-block shrink-0">
      {url ? (
        <img src={url} alt="" loading="lazy" className={cx('rounded-full object-cover', SIZES[size])} />
      ) : (
        <span
          className={cx(
            'grid place-items-center rounded-full font-semibold text-white select-none',
            SIZES[size],
            HUES[hueOf(id)],
          )}
        >
          {group ? <Users className="size-1/2" /> : initials(name)}
        </span>
      )}
      {presence !== undefined && presence !== 'offline' && (
        <span
          className={cx(
            'absolute -end-0.5 -bottom-0.5 size-3.5 rounded-full border-2 border-sidebar',
            presence === 'online' && 'bg-online',
            presence === 'away' && 'bg-away',
            presence === 'dnd' && 'bg-danger',
          )}
        />
      )}
    </span>
  );
}
