import { Pin } from 'lucide-react';
import { memo, useState } from 'react';
import { useChat, useI18n, useSettings } from '@/app/context';
import { ErrorBoundary } from '@/app/ErrorBoundary';
import { cx } from '@/lib/cx';
import { nameText } from '@/lib/text';
import { clockTime, dayLabel, fullTime } from '@/lib/time';
import type { Message } from '@/protocol';
import { type Delivery, deliveryOf, nameOf } from '@/store/selectors';
import { Avatar, hueOf } from '@/ui/Avatar';
import { Ticks } from '@/ui/Ticks';
import { FailedSend } from './FailedSend';
import { type MessageAsk, MessageDialogs } from './MessageDialogs';
import { MessageText } from './MessageText';
import { MessageTools } from './MessageTools';
import { Quote } from './Quote';
import { Reactions } from './Reactions';
import type { Row } from './rows';
import { Unshowable } from './Unshowable';
import { useMessageKeys } from './useMessageKeys';

export interface MessageRowProps {
  row: Row;
  conversationId: string;
  position: number;
  /** No older messages exist. */
  beginning: boolean;
  /** Shows its tools. */
  active: boolean;
  flashing: boolean;
  onActive: (key: string | null) => void;
  /** The mouse moved over it, at this position in the window. */
  onPointed: (key: string, x: number, y: number) => void;
  onReply: (message: Message) => void;
  onEdit: (message: Message) => void;
  onUnread: (message: Message) => void;
  onJump: (seq: number) => void;
  /** The user selected the day divider. */
  onDay: () => void;
}

const NAME_COLOURS = [
  'text-[#3151a8] dark-hue-0',
  'text-[#7040a8] dark-hue-1',
  'text-[#9b3363] dark-hue-2',
  'text-[#984020] dark-hue-3',
  'text-[#6d570f] dark-hue-4',
  'text-[#256338] dark-hue-5',
  'text-[#17626b] dark-hue-6',
  'text-[#4a5665] dark-hue-7',
];

export const MessageRow = memo(function MessageRow(props: MessageRowProps) {
  const { row, position, beginning, flashing, onActive } = props;
  const i18n = useI18n();
  const { t } = i18n;
  const [settings] = useSettings();
  const name = useChat((state) => (row.own ? t('message.you') : nameOf(state, state.people[row.senderId])));
  const [ask, setAsk] = useState<MessageAsk | null>(null);
  const onKeyDown = useMessageKeys(props, setAsk);
  const compact = settings.density === 'compact';
  return (
    <article
      aria-posinset={position}
      aria-setsize={-1}
      aria-labelledby={row.system ? `t-${row.key}` : `a-${row.key} t-${row.key}`}
      aria-describedby={describers(row)}
      tabIndex={-1}
      onKeyDown={onKeyDown}
      onFocus={() => onActive(row.key)}
      onPointerEnter={(event) => {
        if (event.pointerType === 'mouse') props.onPointed(row.key, event.clientX, event.clientY);
      }}
      className={cx(
        'group/message rounded-lg outline-offset-[-2px]',
        row.first ? (compact ? 'pt-1.5' : 'pt-3') : compact ? 'pt-px' : 'pt-0.5',
      )}
    >
      {beginning && <p className="pb-3 text-center text-sm text-muted">{t('message.beginning')}</p>}
      {row.newDay && <DayLine label={dayLabel(i18n, row.createdAt)} onChoose={props.onDay} />}
      {row.firstUnread && <UnreadLine label={t('message.unreadDivider')} />}
      {row.system ? (
        <p className="py-1 text-center text-sm wrap-anywhere text-muted">
          <span id={`t-${row.key}`} dir="auto">
            {nameText(row.message?.text ?? '')}
          </span>
          <time
            id={`m-${row.key}`}
            dateTime={row.createdAt}
            className="ms-2 text-xs"
            title={fullTime(i18n, row.createdAt)}
          >
            {clockTime(i18n, row.createdAt)}
          </time>
        </p>
      ) : (
        <div className={cx('flex gap-2.5', row.own && 'justify-end', flashing && 'flash')}>
          {!row.own && <Side row={row} name={name} />}
          <Bubble {...props} name={name} onAsk={setAsk} />
        </div>
      )}
      {ask !== null && row.message !== null && (
        <MessageDialogs message={row.message} ask={ask} onClose={() => setAsk(null)} />
      )}
    </article>
  );
});

/** Replaces a row that failed to render, without affecting the others. */
export function BrokenRow({ row }: { row: Row }) {
  return (
    <article aria-setsize={-1} aria-labelledby={`t-${row.key}`} tabIndex={-1} className="py-1">
      <div
        id={`t-${row.key}`}
        dir="auto"
        className="w-fit max-w-[min(85%,40rem)] rounded-2xl bg-code px-3 py-1.5"
      >
        <Unshowable text={sourceOf(row)} />
      </div>
    </article>
  );
}

/** The text as it was sent, whatever else is wrong with the message. */
function sourceOf({ message, pending }: Row): string {
  const text: unknown = message?.text ?? pending?.text;
  return typeof text === 'string' ? text : '';
}

/** What a screen reader reads after author and text: the quoted message, time and state, and reactions. */
function describers({ key, message, pending }: Row): string {
  const answers = (message ?? pending)?.reply_to != null;
  const reacted = message !== null && message.reactions.length > 0;
  return `${answers ? `q-${key} ` : ''}m-${key}${reacted ? ` r-${key}` : ''}`;
}

/** Jumps to any other day, like the dates of a calendar. */
function DayLine({ label, onChoose }: { label: string; onChoose: () => void }) {
  const { t } = useI18n();
  return (
    <div className="my-2 flex items-center gap-2 before:h-px before:flex-1 before:bg-line after:h-px after:flex-1 after:bg-line">
      <button
        type="button"
        title={t('message.jumpToDate')}
        onClick={onChoose}
        className="min-h-7 rounded-full px-2.5 text-xs font-medium text-muted hover:bg-hover hover:text-ink pointer-coarse:min-h-11"
      >
        {label}
      </button>
    </div>
  );
}

function UnreadLine({ label }: { label: string }) {
  return (
    <p className="my-3 flex items-center gap-3 text-xs font-semibold text-danger before:h-px before:flex-1 before:bg-danger/50 after:h-px after:flex-1 after:bg-danger/50">
      {label}
    </p>
  );
}

function bubbleColours(own: boolean, delivery: Delivery): string {
  if (delivery === 'failed') return 'bg-danger-soft text-ink';
  return own ? 'bg-own text-own-ink' : 'bg-theirs text-ink';
}

function Side({ row, name }: { row: Row; name: string }) {
  const person = useChat((state) => state.people[row.senderId]);
  return (
    <div className="w-8 shrink-0 self-end">
      {row.last && <Avatar id={row.senderId} name={name} url={person?.avatar_url ?? null} size="small" />}
    </div>
  );
}

function Bubble(props: MessageRowProps & { name: string; onAsk: (ask: MessageAsk) => void }) {
  const { row, conversationId, active, onActive, onReply, onEdit, onUnread, onJump, name, onAsk } = props;
  const i18n = useI18n();
  const { t } = i18n;
  const { message, pending, own } = row;
  const deleted = message?.deleted_at != null;
  const isGroup = useChat((state) => state.conversations[conversationId]?.kind !== 'direct');
  const delivery = useChat((state) =>
    message === null
      ? pending?.state === 'failed'
        ? 'failed'
        : 'sending'
      : deliveryOf(message, state.conversations[conversationId]),
  );
  const replyTo = message?.reply_to ?? pending?.reply_to ?? null;
  const showName = !own && isGroup && row.first;
  return (
    <div className={cx('relative flex max-w-[min(85%,40rem)] flex-col', own ? 'items-end' : 'items-start')}>
      <h3
        id={`a-${row.key}`}
        dir="auto"
        className={cx(
          showName
            ? `mb-0.5 max-w-full ps-3 text-sm font-semibold wrap-anywhere ${NAME_COLOURS[hueOf(row.senderId)]}`
            : 'sr-only',
        )}
      >
        {name}
      </h3>
      {/* biome-ignore lint/a11y/noStaticElementInteractions: a tap shows the tools that the mouse shows on hover and keys on focus. */}
      {/* biome-ignore lint/a11y/useKeyWithClickEvents: see above. */}
      <div
        onClick={() => onActive(row.key)}
        className={cx(
          'max-w-full min-w-0 rounded-2xl px-3 py-1.5',
          bubbleColours(own, delivery),
          own ? (row.last ? 'rounded-ee-md' : '') : row.last ? 'rounded-es-md' : '',
        )}
      >
        {replyTo !== null && (
          <ErrorBoundary
            of={replyTo}
            fallback={() => <p className="text-sm italic">{t('message.quoteGone')}</p>}
          >
            <Quote elementId={`q-${row.key}`} id={replyTo} conversationId={conversationId} onJump={onJump} />
          </ErrorBoundary>
        )}
        <div className="flex max-w-full flex-wrap items-end gap-x-3">
          <div id={`t-${row.key}`} dir="auto" className="max-w-full min-w-0 has-[pre,table]:basis-full">
            {deleted ? (
              <p className="italic opacity-75">{t('message.deleted')}</p>
            ) : (
              <MessageText text={message?.text ?? pending?.text ?? ''} />
            )}
          </div>
          <p
            id={`m-${row.key}`}
            className={cx(
              'ms-auto flex items-center gap-1 pt-1 text-[0.6875rem] leading-4 select-none',
              own && delivery !== 'failed' ? 'text-own-muted' : 'text-muted',
            )}
          >
            {message?.pinned === true && (
              <span title={t('message.pinned')}>
                <Pin size={12} aria-hidden />
                <span className="sr-only">{t('message.pinned')}</span>
              </span>
            )}
            {message?.edited_at != null && !deleted && <span>{t('message.edited')}</span>}
            <time dateTime={row.createdAt} title={fullTime(i18n, row.createdAt)}>
              {clockTime(i18n, row.createdAt)}
            </time>
            {own && !deleted && <Ticks delivery={delivery} />}
          </p>
        </div>
      </div>
      {message !== null && message.reactions.length > 0 && (
        <ErrorBoundary of={message} fallback={() => null}>
          <Reactions id={`r-${row.key}`} message={message} />
        </ErrorBoundary>
      )}
      {pending?.state === 'failed' && <FailedSend pending={pending} />}
      {active && message !== null && !deleted && (
        <MessageTools
          message={message}
          own={own}
          onReply={onReply}
          onEdit={onEdit}
          onUnread={onUnread}
          onAsk={onAsk}
        />
      )}
    </div>
  );
}
