import { SendHorizontal, Smile, X } from 'lucide-react';
import {
  type KeyboardEvent,
  type Ref,
  useEffect,
  useId,
  useImperativeHandle,
  useLayoutEffect,
  useRef,
  useState,
} from 'react';
import { useAttempt, useChat, useI18n, useSession, useSettings } from '@/app/context';
import { ErrorBoundary } from '@/app/ErrorBoundary';
import { EmojiPopover, emojiByName, emojiIfLoaded } from '@/features/emoji';
import { useKeys } from '@/features/shortcuts';
import { cx } from '@/lib/cx';
import { codePoints, isVisible, oneLine } from '@/lib/text';
import type { Conversation, Message } from '@/protocol';
import { nameOf, titleOf } from '@/store/selectors';
import { IconButton } from '@/ui/Button';
import { complete, findTrigger, type Trigger, wrap } from './completion';
import { Suggestions } from './Suggestions';
import { useCompletion } from './useCompletion';

const MAX_CHARS = 10_000;
const MAX_HEIGHT_PX = 240;
/** The browser resizes the box to its text by itself; a script would force a layout of the whole page each time. */
const FITS_ITSELF = globalThis.CSS?.supports?.('field-sizing', 'content') ?? false;
/** The marks that a command puts around the selection. */
const MARKS: Record<string, string | undefined> = { bold: '**', italic: '_', code: '`' };

export type ComposerMode =
  | { kind: 'new' }
  | { kind: 'reply'; message: Message }
  | { kind: 'edit'; message: Message };

export interface ComposerProps {
  conversation: Conversation;
  mode: ComposerMode;
  onMode: (mode: ComposerMode) => void;
  onSent: () => void;
  onEditLast: () => void;
  onScroll: (pages: number) => void;
  /** Moves the focus into the list of messages. */
  onLeaveUp: () => void;
  ref?: Ref<HTMLTextAreaElement>;
}

/** The message box. Its text is a draft until it is sent. */
export function Composer(props: ComposerProps) {
  const { conversation, mode, onMode, onSent, onEditLast, onScroll, onLeaveUp, ref } = props;
  const { id } = conversation;
  const { t } = useI18n();
  const { actions, changes, drafts } = useSession();
  const [settings] = useSettings();
  const attempt = useAttempt();
  const box = useRef<HTMLTextAreaElement>(null);
  const listId = useId();
  const [text, setText] = useState(() => drafts.of(id));
  const [trigger, setTrigger] = useState<Trigger | null>(null);
  const [active, setActive] = useState(0);
  const suggestions = useCompletion(id, trigger);
  const title = useChat((state) => titleOf(state, conversation));
  const barred = useBarred(conversation);
  const keys = useKeys();
  useImperativeHandle(ref, () => box.current as HTMLTextAreaElement);

  useLayoutEffect(() => {
    const element = box.current;
    if (element === null || FITS_ITSELF) return;
    element.style.height = '';
    if (text !== '') element.style.height = `${Math.min(element.scrollHeight, MAX_HEIGHT_PX)}px`;
  }, [text]);

  useEffect(() => {
    if (matchMedia('(pointer: fine)').matches) box.current?.focus();
    return () => actions.typing(id, false);
  }, [actions, id]);

  const edited = mode.kind === 'edit' ? mode.message : null;
  const before = useRef<string | null>(null);
  useEffect(() => {
    if (edited !== null) {
      before.current ??= drafts.of(id);
      setText(edited.text);
    } else if (before.current !== null) {
      setText(before.current);
      before.current = null;
    }
    setTrigger(null);
    if (mode.kind !== 'new') box.current?.focus();
  }, [edited, mode.kind, drafts, id]);

  useEffect(
    () =>
      drafts.arrived.on((one) => {
        if (one.conversationId !== id) return;
        // While a message is being edited the draft is kept.
        if (before.current === null) setText(one.text);
        else before.current = one.text;
      }),
    [drafts, id],
  );

  /** Sets the text and, after rendering, the selection. */
  const write = (next: string, start: number, end = start) => {
    change(next, start);
    requestAnimationFrame(() => box.current?.setSelectionRange(start, end));
  };

  const change = (next: string, caret: number) => {
    setText(next);
    setTrigger(findTrigger(next, caret));
    setActive(0);
    if (edited !== null) return;
    drafts.set(id, next);
    actions.typing(id, next.trim() !== '');
  };

  const tooMany = Math.max(0, (text.length > MAX_CHARS ? codePoints(text) : 0) - MAX_CHARS);
  const sendable = isVisible(text) && tooMany === 0 && barred === null;

  const send = () => {
    if (!sendable) return;
    if (edited !== null) {
      onMode({ kind: 'new' });
      if (text !== edited.text) void attempt(() => actions.edit(edited, text));
      return;
    }
    void actions.send(id, text, mode.kind === 'reply' ? mode.message.id : null);
    setText('');
    setTrigger(null);
    drafts.set(id, '');
    onMode({ kind: 'new' });
    // The button is now disabled, and the focus would be lost.
    box.current?.focus();
    onSent();
  };

  const accept = (index: number) => {
    const chosen = suggestions[index];
    if (trigger === null || chosen === undefined) return;
    const next = complete(text, trigger, chosen.replacement);
    write(next.text, next.caret);
    box.current?.focus();
  };

  const insert = (piece: string) => {
    const element = box.current;
    const start = element?.selectionStart ?? text.length;
    const end = element?.selectionEnd ?? start;
    write(text.slice(0, start) + piece + text.slice(end), start + piece.length);
    element?.focus();
  };

  const format = (mark: string) => {
    const element = box.current;
    if (element === null) return;
    const next = wrap(text, element.selectionStart, element.selectionEnd, mark);
    write(next.text, next.start, next.end);
  };

  const onKeyDown = (event: KeyboardEvent<HTMLTextAreaElement>) => {
    if (event.nativeEvent.isComposing) return;
    const control = event.ctrlKey || event.metaKey;
    const called = keys.called(event, 'composer');
    const mark = called === null ? undefined : MARKS[called];
    if (suggestions.length > 0 && !control) {
      if (event.key === 'ArrowDown') setActive((active + 1) % suggestions.length);
      else if (event.key === 'ArrowUp') setActive((active + suggestions.length - 1) % suggestions.length);
      else if (event.key === 'Enter' || event.key === 'Tab') accept(active);
      else if (event.key === 'Escape') setTrigger(null);
      else return;
      event.preventDefault();
      return;
    }
    if (event.key === 'Enter' && !event.shiftKey && (settings.enterSends || control)) send();
    else if (event.key === 'ArrowUp' && text === '' && event.altKey === false)
      event.shiftKey ? onLeaveUp() : onEditLast();
    else if (event.key === 'Escape' && mode.kind !== 'new') onMode({ kind: 'new' });
    else if (mark !== undefined) format(mark);
    else if (event.key === 'PageUp' && !scrolls(event.currentTarget)) onScroll(-1);
    else if (event.key === 'PageDown' && !scrolls(event.currentTarget)) onScroll(1);
    else return;
    event.preventDefault();
  };

  const noFiles = (files: FileList | undefined): boolean => {
    if (files === undefined || files.length === 0) return false;
    changes.notice('request_failed', t('composer.files'));
    return true;
  };

  return (
    <div className="border-t border-line px-2 pt-2 pb-[max(0.5rem,env(safe-area-inset-bottom))] sm:px-4 sm:pt-3 sm:pb-3">
      <div className="relative mx-auto max-w-4xl">
        {mode.kind !== 'new' && (
          <ErrorBoundary of={mode} fallback={() => null}>
            <ModeLine mode={mode} onCancel={() => onMode({ kind: 'new' })} />
          </ErrorBoundary>
        )}
        {suggestions.length > 0 && (
          <ErrorBoundary of={suggestions} fallback={() => null}>
            <Suggestions
              id={listId}
              suggestions={suggestions}
              active={active}
              onActive={setActive}
              onAccept={accept}
            />
          </ErrorBoundary>
        )}
        {/* biome-ignore lint/a11y/noStaticElementInteractions: dropping files has no key; choosing them will have a button. */}
        <div
          onDragOver={(event) => event.preventDefault()}
          onDrop={(event) => {
            if (noFiles(event.dataTransfer.files)) event.preventDefault();
          }}
          className="flex items-end gap-1 rounded-2xl border border-field-line bg-field p-1 has-[textarea:focus-visible]:border-accent has-[textarea:focus-visible]:outline has-[textarea:focus-visible]:outline-accent"
        >
          <EmojiPopover
            align="start"
            onPick={insert}
            trigger={
              <IconButton label={t('composer.emoji')} className="rounded-xl">
                <Smile size={21} aria-hidden />
              </IconButton>
            }
          />
          <textarea
            ref={box}
            rows={1}
            dir="auto"
            value={text}
            disabled={barred !== null}
            aria-label={t('composer.label')}
            placeholder={barred ?? t('composer.placeholder', title)}
            aria-autocomplete="list"
            aria-controls={suggestions.length > 0 ? listId : undefined}
            aria-activedescendant={suggestions.length > 0 ? `${listId}-${active}` : undefined}
            enterKeyHint={settings.enterSends ? 'send' : 'enter'}
            onChange={(event) => {
              const { value, selectionStart } = event.target;
              const named = namedEmoji(value, selectionStart);
              if (named !== null) write(named.text, named.caret);
              else change(value, selectionStart);
            }}
            onSelect={(event) => setTrigger(findTrigger(text, event.currentTarget.selectionStart))}
            onBlur={() => setTrigger(null)}
            onKeyDown={onKeyDown}
            onPaste={(event) => {
              if (event.clipboardData.getData('text/plain') === '' && noFiles(event.clipboardData.files)) {
                event.preventDefault();
              }
            }}
            className={cx(
              'max-h-60 min-h-10 min-w-0 flex-1 resize-none bg-transparent px-1.5 py-2 leading-6 outline-none placeholder:text-muted pointer-coarse:min-h-11',
              // An empty box is one line high, however long its placeholder.
              text !== '' && 'field-sizing-content',
            )}
          />
          <IconButton
            label={t('composer.send')}
            disabled={!sendable}
            onClick={send}
            className="rounded-xl bg-accent text-on-accent duration-0 hover:bg-accent-strong hover:text-on-accent disabled:bg-transparent disabled:text-muted rtl:-scale-x-100"
          >
            <SendHorizontal size={20} aria-hidden />
          </IconButton>
        </div>
        {tooMany > 0 && (
          <p role="alert" className="pt-1 text-sm text-danger">
            {t('composer.tooLong', tooMany)}
          </p>
        )}
      </div>
    </div>
  );
}

/** Page keys scroll the list as long as the box itself has nothing to scroll. */
function scrolls(element: HTMLTextAreaElement): boolean {
  return element.scrollHeight > element.clientHeight + 2;
}

/** Replaces `:name:` with its emoji at the closing colon, once the names are loaded. */
function namedEmoji(text: string, caret: number): { text: string; caret: number } | null {
  const all = emojiIfLoaded();
  const match = all === null ? null : /(^|\s):([a-z0-9_+-]+):$/.exec(text.slice(0, caret));
  if (all === null || match === null) return null;
  const char = emojiByName(all, match[2] ?? '');
  if (char === null) return null;
  const start = caret - (match[2]?.length ?? 0) - 2;
  return { text: text.slice(0, start) + char + text.slice(caret), caret: start + char.length };
}

/** Returns why the user cannot write here, or null. */
function useBarred(conversation: Conversation): string | null {
  const { t } = useI18n();
  const blocked = useChat(
    (state) => conversation.peer != null && state.blocked[conversation.peer.id] !== undefined,
  );
  if (blocked) return t('composer.blocked');
  if (conversation.settings?.post === 'admins' && conversation.me.role === 'member')
    return t('composer.adminsOnly');
  return null;
}

function ModeLine({
  mode,
  onCancel,
}: {
  mode: Exclude<ComposerMode, { kind: 'new' }>;
  onCancel: () => void;
}) {
  const { t } = useI18n();
  const name = useChat((state) => nameOf(state, state.people[mode.message.sender_id]));
  return (
    <div className="rise mb-2 flex items-center gap-2 border-s-3 border-accent ps-3">
      <div className="min-w-0 flex-1 text-sm">
        <p className="font-semibold">
          {mode.kind === 'edit' ? t('composer.editing') : t('composer.replying', name)}
        </p>
        <p className="truncate text-muted" dir="auto">
          {oneLine(mode.message.text)}
        </p>
      </div>
      <IconButton size="small" label={t('composer.cancel')} onClick={onCancel}>
        <X size={17} aria-hidden />
      </IconButton>
    </div>
  );
}
