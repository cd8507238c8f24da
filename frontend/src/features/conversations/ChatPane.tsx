import { ArrowLeft, PanelRight } from 'lucide-react';
import { lazy, Suspense, useCallback, useEffect, useRef, useState } from 'react';
import { useChat, useI18n, useSession } from '@/app/context';
import { BrokenPart, ErrorBoundary } from '@/app/ErrorBoundary';
import { Composer, type ComposerMode } from '@/features/composer';
import { usePresence, useTyping } from '@/features/presence';
import { Timeline, type TimelineHandle } from '@/features/timeline';
import type { Conversation, Message } from '@/protocol';
import { titleOf } from '@/store/selectors';
import { IconButton } from '@/ui/Button';
import { ConversationAvatar } from '@/ui/ConversationAvatar';
import { useSwipeBack } from './useSwipeBack';

const DetailsPanel = lazy(() => import('./DetailsPanel'));

/** While a held key moves through the list, the conversations passed on the way fetch nothing. */
const PASSING_MS = 150;

const WRITING: ComposerMode = { kind: 'new' };

export interface ChatPaneProps {
  id: string;
  /** A message to show. */
  seq: number | null;
  onArrived: () => void;
  onBack: () => void;
  details: boolean;
  onDetails: (shown: boolean) => void;
  onOpen: (conversationId: string, seq?: number) => void;
}

/** One conversation: header, messages and message box. */
export function ChatPane({ id, seq, onArrived, onBack, details, onDetails, onOpen }: ChatPaneProps) {
  const conversation = useChat((state) => state.conversations[id]);
  const untouched = useChat(
    (state) => conversation?.last_message === null && (state.pending[id] ?? []).length === 0,
  );
  const [mode, setMode] = useState<ComposerMode>(WRITING);
  const timeline = useRef<TimelineHandle>(null);
  const composer = useRef<HTMLTextAreaElement>(null);
  const pane = useRef<HTMLDivElement>(null);
  const session = useSession();
  const isDirect = conversation?.kind === 'direct';
  const peerId = conversation?.peer?.id;
  useSwipeBack(pane, onBack);

  useEffect(() => {
    const { actions } = session;
    const ask = () => {
      if (!isDirect) void actions.loadMembers(id).catch(() => undefined);
      else if (peerId !== undefined) actions.watch(peerId);
    };
    const timer = setTimeout(ask, PASSING_MS);
    return () => clearTimeout(timer);
  }, [session, id, isDirect, peerId]);

  const focusComposer = useCallback(() => composer.current?.focus(), []);
  const reply = useCallback((message: Message) => setMode({ kind: 'reply', message }), []);
  const edit = useCallback((message: Message) => setMode({ kind: 'edit', message }), []);
  const editLast = useCallback(() => {
    const state = session.store.getState();
    const last = state.windows[id]?.items.findLast(
      (one) => one.sender_id === state.me?.id && one.kind === 'text' && one.deleted_at === null,
    );
    if (last !== undefined) setMode({ kind: 'edit', message: last });
  }, [session, id]);

  if (conversation === undefined) return null;
  return (
    <>
      <div ref={pane} className="flex min-w-0 flex-1 flex-col bg-canvas">
        <ErrorBoundary of={conversation} fallback={() => <BrokenHeader onBack={onBack} />}>
          <ChatHeader
            conversation={conversation}
            onBack={onBack}
            details={details}
            onDetails={() => onDetails(!details)}
          />
        </ErrorBoundary>
        {untouched && <Untouched conversation={conversation} />}
        <Timeline
          ref={timeline}
          conversationId={id}
          seq={seq}
          onArrived={onArrived}
          onReply={reply}
          onEdit={edit}
          onLeave={focusComposer}
        />
        <Composer
          ref={composer}
          conversation={conversation}
          mode={mode}
          onMode={setMode}
          onSent={() => timeline.current?.toLatest()}
          onEditLast={editLast}
          onScroll={(pages) => timeline.current?.scrollPages(pages)}
          onLeaveUp={() => timeline.current?.focusLast()}
        />
      </div>
      {details && (
        <ErrorBoundary fallback={() => <BrokenPart onClose={() => onDetails(false)} />}>
          <Suspense fallback={null}>
            <DetailsPanel
              conversation={conversation}
              onClose={() => onDetails(false)}
              onJumpToDate={() => timeline.current?.askForDate()}
              onOpen={onOpen}
            />
          </Suspense>
        </ErrorBoundary>
      )}
    </>
  );
}

/** Shown in a conversation without messages. */
function Untouched({ conversation }: { conversation: Conversation }) {
  const { t } = useI18n();
  const title = useChat((state) => titleOf(state, conversation));
  return (
    <div className="pointer-events-none absolute inset-0 m-auto flex h-fit max-w-xs flex-col items-center gap-3 p-6 text-center">
      <ConversationAvatar conversation={conversation} title={title} size="large" />
      <p className="text-sm text-muted">{t('message.none')}</p>
    </div>
  );
}

/** Replaces a header that failed to render; the user can still go back. */
function BrokenHeader({ onBack }: { onBack: () => void }) {
  const { t } = useI18n();
  return (
    <header className="flex min-h-16 items-center gap-3 border-b border-line px-3 py-2 sm:px-5">
      <IconButton label={t('conversations.back')} onClick={onBack} className="sm:hidden rtl:-scale-x-100">
        <ArrowLeft size={20} aria-hidden />
      </IconButton>
      <p className="italic">{t('conversations.unshowable')}</p>
    </header>
  );
}

function ChatHeader({
  conversation,
  onBack,
  details,
  onDetails,
}: {
  conversation: Conversation;
  onBack: () => void;
  details: boolean;
  onDetails: () => void;
}) {
  const { t } = useI18n();
  const title = useChat((state) => titleOf(state, conversation));
  const presence = usePresence(conversation.peer?.id);
  const typing = useTyping(conversation.id);
  const members = conversation.kind === 'direct' ? '' : t('details.members', conversation.member_count);
  const line = typing ?? (presence.text || members);
  return (
    <header className="flex min-h-16 items-center gap-3 border-b border-line px-3 py-2 sm:px-5">
      <IconButton
        label={t('conversations.back')}
        onClick={onBack}
        className="-ms-1 sm:hidden rtl:-scale-x-100"
      >
        <ArrowLeft size={20} aria-hidden />
      </IconButton>
      <ConversationAvatar conversation={conversation} title={title} presence={presence.state} />
      <div className="min-w-0 flex-1">
        <h2 className="truncate leading-tight font-semibold" dir="auto">
          {title}
        </h2>
        {line !== '' && (
          <p className={typing === null ? 'truncate text-sm text-muted' : 'truncate text-sm text-accent'}>
            {line}
          </p>
        )}
      </div>
      <IconButton label={t('conversations.details')} aria-expanded={details} onClick={onDetails}>
        <PanelRight size={20} aria-hidden />
      </IconButton>
    </header>
  );
}
