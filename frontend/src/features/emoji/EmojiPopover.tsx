import { lazy, type ReactNode, Suspense, useState } from 'react';
import { useI18n } from '@/app/context';
import { EarlyTrigger } from '@/ui/EarlyTrigger';
import { useLandmark } from '@/ui/useLandmark';
import { useRadix } from '@/ui/useRadix';

const EmojiPicker = lazy(() => import('./EmojiPicker'));

export interface EmojiPopoverProps {
  trigger: ReactNode;
  onPick: (emoji: string) => void;
  align?: 'start' | 'end';
}

/** The picker beside its button. */
export function EmojiPopover({ trigger, onPick, align = 'end' }: EmojiPopoverProps) {
  const { t } = useI18n();
  const [open, setOpen] = useState(false);
  const parts = useRadix()?.Popover;
  const { mark, container } = useLandmark();
  if (parts === undefined) return <EarlyTrigger onPress={() => setOpen(true)}>{trigger}</EarlyTrigger>;
  const Popover = parts;
  return (
    <Popover.Root open={open} onOpenChange={setOpen}>
      <span ref={mark} className="contents">
        <Popover.Trigger asChild>{trigger}</Popover.Trigger>
      </span>
      <Popover.Portal container={container}>
        <Popover.Content
          aria-label={t('emoji.label')}
          sideOffset={8}
          collisionPadding={8}
          align={align}
          className="rise z-50 flex h-96 w-[19.5rem] [@media(max-height:40rem)]:h-72 max-w-[calc(100vw-1rem)] flex-col overflow-hidden rounded-xl border border-line bg-raised text-ink shadow-raised"
        >
          <Suspense fallback={null}>
            <EmojiPicker
              onPick={(emoji) => {
                setOpen(false);
                onPick(emoji);
              }}
            />
          </Suspense>
        </Popover.Content>
      </Popover.Portal>
    </Popover.Root>
  );
}
