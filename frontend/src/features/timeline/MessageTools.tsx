import {
  Copy,
  EllipsisVertical,
  Info,
  MailOpen,
  Pencil,
  Pin,
  PinOff,
  Reply,
  SmilePlus,
  Trash2,
} from 'lucide-react';
import type { KeyboardEvent } from 'react';
import { useAttempt, useChat, useI18n, useSession } from '@/app/context';
import { EmojiPopover } from '@/features/emoji';
import { useKeys } from '@/features/shortcuts';
import { cx } from '@/lib/cx';
import type { Message } from '@/protocol';
import { mayDelete, mayPin } from '@/store/selectors';
import { IconButton } from '@/ui/Button';
import { Menu, MenuItem } from '@/ui/Menu';
import type { MessageAsk } from './MessageDialogs';

const QUICK = ['👍', '❤️', '😂'];

export interface MessageToolsProps {
  message: Message;
  own: boolean;
  onReply: (message: Message) => void;
  onEdit: (message: Message) => void;
  onUnread: (message: Message) => void;
  onAsk: (ask: MessageAsk) => void;
}

/** The Tab key stops once at a toolbar, at its last button; arrow keys move inside. */
function moveAlong(event: KeyboardEvent<HTMLElement>): void {
  const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
  const buttons = [...event.currentTarget.querySelectorAll('button')];
  const at = buttons.indexOf(event.target as HTMLButtonElement);
  if (step === undefined || at < 0) return;
  event.preventDefault();
  buttons.at((at + step) % buttons.length)?.focus();
}

/** The actions on a message, shown beside it on hover or focus. */
export function MessageTools({ message, own, onReply, onEdit, onUnread, onAsk }: MessageToolsProps) {
  const { t } = useI18n();
  const { actions } = useSession();
  const attempt = useAttempt();
  const pinnable = useChat((state) => mayPin(state, message.conversation_id));
  const deletable = useChat((state) => mayDelete(state, message));
  const keys = useKeys();
  const react = (emoji: string) => void attempt(() => actions.react(message, emoji));
  return (
    <div
      role="toolbar"
      aria-label={t('message.actions')}
      onKeyDown={moveAlong}
      className={cx(
        'absolute -top-8 z-10 flex items-center rounded-lg border border-line bg-raised p-0.5 shadow-raised',
        own ? 'end-2' : 'start-2',
      )}
    >
      {QUICK.map((emoji) => (
        <button
          key={emoji}
          type="button"
          tabIndex={-1}
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
          <IconButton size="small" tabIndex={-1} label={t('message.react')} data-tool="react">
            <SmilePlus size={17} aria-hidden />
          </IconButton>
        }
      />
      <IconButton size="small" tabIndex={-1} label={t('message.reply')} onClick={() => onReply(message)}>
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
          <MenuItem icon={<Pencil size={16} />} hint={keys.hint('edit')} onSelect={() => onEdit(message)}>
            {t('message.edit')}
          </MenuItem>
        )}
        <MenuItem
          icon={<Copy size={16} />}
          hint={keys.hint('copy')}
          onSelect={() => void navigator.clipboard?.writeText(message.text)}
        >
          {t('message.copy')}
        </MenuItem>
        {pinnable && (
          <MenuItem
            icon={message.pinned ? <PinOff size={16} /> : <Pin size={16} />}
            hint={keys.hint('pin')}
            onSelect={() => void attempt(() => actions.pin(message, !message.pinned))}
          >
            {message.pinned ? t('message.unpin') : t('message.pin')}
          </MenuItem>
        )}
        {!own && (
          <MenuItem
            icon={<MailOpen size={16} />}
            hint={keys.hint('unread')}
            title={t('message.markUnread.text')}
            onSelect={() => onUnread(message)}
          >
            {t('message.markUnread')}
          </MenuItem>
        )}
        {own && (
          <MenuItem hint={keys.hint('info')} icon={<Info size={16} />} onSelect={() => onAsk('info')}>
            {t('message.info')}
          </MenuItem>
        )}
        {deletable && (
          <MenuItem
            icon={<Trash2 size={16} />}
            danger
            hint={keys.hint('delete')}
            onSelect={() => onAsk('delete')}
          >
            {t('message.delete')}
          </MenuItem>
        )}
      </Menu>
    </div>
  );
}
