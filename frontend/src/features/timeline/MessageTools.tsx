import { Copy, EllipsisVertical, Info, Pencil, Reply, SmilePlus, Trash2 } from 'lucide-react';
import { lazy, Suspense, useState } from 'react';
import { useAttempt, useI18n, useSession } from '@/app/context';
import { EmojiPopover } from '@/features/emoji';
import { cx } from '@/lib/cx';
import type { Message } from '@/protocol';
import { IconButton } from '@/ui/Button';
import { Confirm } from '@/ui/Dialog';
import { Menu, MenuItem } from '@/ui/Menu';
import { useMayDelete } from './useMayDelete';

const DeliveryInfo = lazy(() => import('./DeliveryInfo'));

const QUICK = ['👍', '❤️', '😂'];

export interface MessageToolsProps {
  message: Message;
  own: boolean;
  onReply: (message: Message) => void;
  onEdit: (message: Message) => void;
}

/** What can be done with a message, beside the one that is pointed at or has the focus. */
export function MessageTools({ message, own, onReply, onEdit }: MessageToolsProps) {
  const { t } = useI18n();
  const { actions } = useSession();
  const attempt = useAttempt();
  const [asking, setAsking] = useState<'delete' | 'info' | null>(null);
  const mayDelete = useMayDelete(message);
  const react = (emoji: string) => void attempt(() => actions.react(message, emoji));
  return (
    <div
      role="toolbar"
      aria-label={t('message.actions')}
      className={cx(
        'absolute -top-8 z-10 flex items-center rounded-lg border border-line bg-raised p-0.5 shadow-raised',
        own ? 'end-2' : 'start-2',
      )}
    >
      {QUICK.map((emoji) => (
        <button
          key={emoji}
          type="button"
          aria-label={`${t('message.react')} ${emoji}`}
          onClick={() => react(emoji)}
          className="grid size-8 place-items-center rounded-md hover:bg-hover max-sm:hidden"
        >
          {emoji}
        </button>
      ))}
      <EmojiPopover
        onPick={react}
        trigger={
          <IconButton size="small" label={t('message.react')} data-tool="react">
            <SmilePlus size={17} aria-hidden />
          </IconButton>
        }
      />
      <IconButton size="small" label={t('message.reply')} onClick={() => onReply(message)}>
        <Reply size={17} aria-hidden />
      </IconButton>
      <Menu
        label={t('message.actions')}
        trigger={
          <IconButton size="small" label={t('message.more')} data-tool="more">
            <EllipsisVertical size={17} aria-hidden />
          </IconButton>
        }
      >
        {own && (
          <MenuItem icon={<Pencil size={16} />} hint="E" onSelect={() => onEdit(message)}>
            {t('message.edit')}
          </MenuItem>
        )}
        <MenuItem
          icon={<Copy size={16} />}
          onSelect={() => void navigator.clipboard?.writeText(message.text)}
        >
          {t('message.copy')}
        </MenuItem>
        {own && (
          <MenuItem icon={<Info size={16} />} onSelect={() => setAsking('info')}>
            {t('message.info')}
          </MenuItem>
        )}
        {mayDelete && (
          <MenuItem icon={<Trash2 size={16} />} danger onSelect={() => setAsking('delete')}>
            {t('message.delete')}
          </MenuItem>
        )}
      </Menu>
      {asking === 'delete' && (
        <Confirm
          title={t('message.delete.title')}
          text={t('message.delete.text')}
          action={t('message.delete')}
          onConfirm={() => void attempt(() => actions.remove(message))}
          onClose={() => setAsking(null)}
        />
      )}
      {asking === 'info' && (
        <Suspense fallback={null}>
          <DeliveryInfo message={message} onClose={() => setAsking(null)} />
        </Suspense>
      )}
    </div>
  );
}
