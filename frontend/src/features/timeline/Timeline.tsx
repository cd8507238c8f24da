import { useVirtualizer, type VirtualItem } from '@tanstack/react-virtual';
import {
  type KeyboardEvent,
  lazy,
  type Ref,
  Suspense,
  useCallback,
  useEffect,
  useImperativeHandle,
  useLayoutEffect,
  useMemo,
  useRef,
  useState,
} from 'react';
import { useAttempt, useChat, useI18n, useSession, useSettings } from '@/app/context';
import { ErrorBoundary } from '@/app/ErrorBoundary';
import type { Message } from '@/protocol';
import { firstUnreadOf, unreadOf } from '@/store/selectors';
import type { MessageWindow } from '@/store/state';
import { BrokenRow, MessageRow } from './MessageRow';
import { LatestButton, UnreadBar } from './Pointers';
import { buildRows, estimateHeight, type Row } from './rows';
import { END_PX, useAtEnd } from './useAtEnd';
import { distanceToEnd, type List, useFollow } from './useFollow';
import { useReadMark } from './useReadMark';

const JumpToDate = lazy(() => import('./JumpToDate'));

const NO_WINDOW: MessageWindow = { items: [], atStart: false, atEnd: true };
const NO_PENDING: never[] = [];
/** Pages are fetched this many screens before they are needed. */
const AHEAD = 1.5;
const FLASH_MS = 1_600;
/** Scrolling to a row uses its index, so nothing above it may be dropped for this long. */
const SEEKING_MS = 500;

/**
 * The library rounds to whole pixels, but rows are placed at their true heights: a fraction for each row above would
 * add up to a visible step. It also stores only heights that it has to correct: one that was estimated correctly would
 * be estimated again when the text changes, and move what is below.
 */
function exactHeight(element: Element, entry: ResizeObserverEntry | undefined, list: List): number {
  const height = entry?.borderBoxSize[0]?.blockSize ?? element.getBoundingClientRect().height;
  const item = list.measurementsCache[list.indexFromElement(element as HTMLDivElement)];
  if (item?.size === height) list.itemSizeCache.set(item.key, height);
  return height;
}

/**
 * Whether the scroll position must be corrected when a row changes its height: for every row above the visible ones,
 * also while the user scrolls up, when the library skips it and a late edit would push everything down.
 */
function keepsPlace(row: VirtualItem, _: number, list: List): boolean {
  const top = list.scrollOffset ?? 0;
  return list.itemSizeCache.has(row.key) ? row.end <= top : row.start < top;
}

export interface TimelineHandle {
  toLatest(): void;
  scrollPages(pages: number): void;
  focusLast(): void;
  askForDate(): void;
}

export interface TimelineProps {
  conversationId: string;
  /** A message to show first, instead of the first unread or the newest one. */
  seq: number | null;
  /** The message is shown. */
  onArrived: () => void;
  onReply: (message: Message) => void;
  onEdit: (message: Message) => void;
  /** Esc, or Tab out of the list. */
  onLeave: () => void;
  ref?: Ref<TimelineHandle>;
}

/** The messages of one conversation, of any number: only visible rows are rendered. */
export function Timeline(props: TimelineProps) {
  'use no memo';
  const { conversationId, seq: wanted, onArrived, onReply, onEdit, onLeave, ref } = props;
  const { t } = useI18n();
  const session = useSession();
  const { history } = session;
  const attempt = useAttempt();
  const me = useChat((state) => state.me?.id ?? '');
  const window_ = useChat((state) => state.windows[conversationId] ?? NO_WINDOW);
  const pending = useChat((state) => state.pending[conversationId] ?? NO_PENDING);
  const online = useChat((state) => state.link === 'online');
  const conversation = useChat((state) => state.conversations[conversationId]);
  const scroller = useRef<HTMLDivElement>(null);
  const [settings] = useSettings();
  const compact = settings.density === 'compact';
  const [opened, setOpened] = useState(false);
  const [active, setActive] = useState<string | null>(null);
  const [flash, setFlash] = useState<string | null>(null);
  const [atEnd, lookAtEnd] = useAtEnd();

  // Fixed while the conversation is open: reading moves the read position, but not the divider.
  const [unreadAfter, setUnreadAfter] = useState<number | null>(() => {
    const state = session.store.getState();
    const own = state.conversations[conversationId];
    return own !== undefined && unreadOf(state, own) > 0 ? firstUnreadOf(state, own) - 1 : null;
  });
  const [unreadCount] = useState(() => {
    const state = session.store.getState();
    const own = state.conversations[conversationId];
    return own === undefined ? 0 : unreadOf(state, own);
  });
  // After "unread from here" nothing counts as read until the user continues.
  const [held, setHeld] = useState(false);
  const [askingDate, setAskingDate] = useState(false);

  const shownPending = window_.atEnd ? pending : NO_PENDING;
  const rows = useMemo(
    () => buildRows(window_.items, shownPending, me, unreadAfter, !window_.atStart),
    [window_.items, window_.atStart, shownPending, me, unreadAfter],
  );
  const rowsRef = useRef(rows);
  rowsRef.current = rows;

  useEffect(() => {
    let wanted = true;
    void history
      .open(conversationId)
      .catch(() => undefined)
      .then(() => {
        if (wanted) setOpened(true);
      });
    return () => {
      wanted = false;
      history.leave(conversationId);
    };
  }, [history, conversationId]);

  // A page fetched below after a jump is not a new message: following it would scroll to the end, page by page. The
  // page that reaches the end does not count either, so the previous state decides.
  const followedBefore = useRef(window_.atEnd);
  const follows = window_.atEnd && followedBefore.current;
  useEffect(() => {
    followedBefore.current = window_.atEnd;
  }, [window_.atEnd]);
  // Between a jump and its first paint the scroll position still belongs to the old messages.
  const jumping = useRef(false);

  const list = useRef<List | null>(null);
  const wasAtEnd = list.current === null || distanceToEnd(list.current) <= END_PX;
  const virtualizer = useVirtualizer<HTMLDivElement, HTMLDivElement>({
    count: rows.length,
    getScrollElement: () => scroller.current,
    estimateSize: (index) => estimateHeight(rows[index] as Row, compact),
    getItemKey: (index) => rows[index]?.key ?? index,
    overscan: 8,
    anchorTo: 'end',
    scrollEndThreshold: END_PX,
    paddingStart: 16,
    measureElement: exactHeight,
    paddingEnd: 12,
    onChange: (instance) => {
      lookAtEnd(instance);
      fetchAround(instance);
    },
  });
  virtualizer.shouldAdjustScrollPositionOnItemSizeChange = keepsPlace;
  list.current = virtualizer;
  const lastKey = rows.at(-1)?.key;
  const onScroll = useFollow({ list: virtualizer, scroller, lastKey, follows, wasAtEnd });

  const soughtUntil = useRef(0);
  const seek = useCallback(
    (index: number, align: 'start' | 'center' | 'auto') => {
      soughtUntil.current = performance.now() + SEEKING_MS;
      virtualizer.scrollToIndex(index, { align });
    },
    [virtualizer],
  );

  const failing = useRef(false);
  if (online) failing.current = false;
  const fetchAround = useCallback(
    (around: List) => {
      if (!positioned.current || failing.current || jumping.current) return;
      const ahead = AHEAD * (around.scrollRect?.height ?? 0);
      const failed = () => {
        // No retry at every wheel step; the next connection clears it.
        failing.current = true;
      };
      if ((around.scrollOffset ?? 0) < ahead) void history.older(conversationId).catch(failed);
      if (distanceToEnd(around) < ahead) void history.newer(conversationId).catch(failed);
      const seen = rowsRef.current[around.range?.startIndex ?? -1]?.message?.seq;
      if (seen !== undefined && performance.now() > soughtUntil.current) history.bound(conversationId, seen);
    },
    [history, conversationId],
  );

  // The first position: at the first unread message, else at the end.
  const positioned = useRef(false);
  const hasUnread = unreadAfter !== null;
  const unreadIndex = hasUnread ? rows.findIndex((row) => row.firstUnread) : -1;
  const unreadInSight =
    unreadIndex > 0 || (unreadIndex === 0 && rows[0]?.message?.seq === (unreadAfter ?? 0) + 1);
  useLayoutEffect(() => {
    if (positioned.current || rows.length === 0) return;
    if (hasUnread && !unreadInSight && !opened) return;
    positioned.current = true;
    if (unreadIndex >= 0 && unreadInSight) seek(unreadIndex, 'start');
    else virtualizer.scrollToEnd();
  });
  // A page may be so short that nothing scrolls and no further page is requested.
  useEffect(() => {
    if (opened && rows.length > 0) fetchAround(virtualizer);
  }, [opened, rows.length, fetchAround, virtualizer]);

  useReadMark({
    conversationId,
    virtualizer,
    rows,
    atEnd: atEnd && window_.atEnd,
    ready: positioned.current && !held,
  });

  const toLatest = useCallback(() => {
    setUnreadAfter(null);
    setHeld(false);
    void history
      .jumpToLatest(conversationId)
      .catch(() => true)
      .then((there) =>
        requestAnimationFrame(() => {
          // Scrolling checks again for several frames, even when there is no distance to scroll.
          if (there && distanceToEnd(virtualizer) > 1) virtualizer.scrollToEnd();
        }),
      );
  }, [history, conversationId, virtualizer]);

  const jumpTo = useCallback(
    async (seq: number) => {
      jumping.current = true;
      let there = false;
      await attempt(async () => {
        there = await history.jumpTo(conversationId, seq);
      });
      requestAnimationFrame(() => {
        jumping.current = false;
        if (!there) return;
        const index = rowsRef.current.findIndex((row) => row.message?.seq === seq);
        const row = rowsRef.current[index];
        if (row === undefined) return;
        seek(index, 'center');
        setFlash(row.key);
        setTimeout(() => setFlash(null), FLASH_MS);
      });
    },
    [attempt, history, conversationId, seek],
  );

  useEffect(() => {
    if (wanted === null || !opened) return;
    void jumpTo(wanted).then(onArrived);
  }, [wanted, opened, jumpTo, onArrived]);

  const toDate = (time: number) =>
    void attempt(async () => {
      const seq = await history.findDate(conversationId, time);
      if (seq !== null) await jumpTo(seq);
    });

  const markUnread = useCallback(
    (message: Message) => {
      setHeld(true);
      setUnreadAfter(message.seq - 1);
      session.unread.set(conversationId, message.seq);
    },
    [session, conversationId],
  );

  // Rows that move below a resting mouse are not hovered.
  const mouse = useRef({ x: -1, y: -1 });
  const pointed = useCallback((key: string, x: number, y: number) => {
    if (x === mouse.current.x && y === mouse.current.y) return;
    mouse.current = { x, y };
    setActive(key);
  }, []);

  const askForDate = useCallback(() => setAskingDate(true), []);

  const focusRow = useCallback(
    (index: number) => {
      const row = rowsRef.current[index];
      if (row === undefined) return;
      setActive(row.key);
      seek(index, 'auto');
      // The row may have to be rendered first.
      requestAnimationFrame(() => {
        scroller.current
          ?.querySelector<HTMLElement>(`[data-index="${index}"] article`)
          ?.focus({ preventScroll: true });
      });
    },
    [seek],
  );

  useImperativeHandle(ref, () => ({
    toLatest,
    scrollPages(pages) {
      const element = scroller.current;
      element?.scrollBy({ top: pages * element.clientHeight * 0.9 });
    },
    focusLast: () => focusRow(rowsRef.current.length - 1),
    askForDate,
  }));

  const onKeyDown = (event: KeyboardEvent<HTMLDivElement>) => {
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return;
    const inside = (event.target as HTMLElement).closest('[data-index]');
    const onArticle =
      (event.target as HTMLElement).tagName === 'ARTICLE' || event.target === scroller.current;
    if (!onArticle) return;
    const index = inside === null ? rows.length : Number(inside.getAttribute('data-index'));
    if (event.key === 'ArrowUp' || event.key === 'k') focusRow(Math.max(0, index - 1));
    else if (event.key === 'ArrowDown' || event.key === 'j') {
      if (index >= rows.length - 1) onLeave();
      else focusRow(index + 1);
    } else if (event.key === 'Home') focusRow(0);
    else if (event.key === 'End') focusRow(rows.length - 1);
    else if (event.key === 'Escape') onLeave();
    else return;
    event.preventDefault();
  };

  const items = virtualizer.getVirtualItems();
  return (
    <div className="relative flex min-h-0 flex-1 flex-col">
      <div
        ref={scroller}
        role="feed"
        aria-label={t('message.label')}
        aria-busy={!opened}
        tabIndex={0}
        onKeyDown={onKeyDown}
        onScroll={onScroll}
        onPointerMove={(event) => {
          mouse.current = { x: event.clientX, y: event.clientY };
        }}
        onPointerLeave={() => setActive(null)}
        className="flex min-h-0 flex-1 flex-col overflow-x-hidden overflow-y-auto overscroll-contain [overflow-anchor:none]"
      >
        <div
          className="relative mx-auto mt-auto w-full max-w-4xl shrink-0 px-2 sm:px-4"
          style={{ height: virtualizer.getTotalSize() }}
        >
          <div
            className="absolute inset-x-0 top-0 px-2 sm:px-4"
            style={{ transform: `translateY(${items[0]?.start ?? 0}px)` }}
          >
            {items.map((item) => {
              const row = rows[item.index] as Row;
              return (
                <div
                  key={item.key}
                  data-index={item.index}
                  ref={virtualizer.measureElement}
                  // Adding or removing a row must not force a layout of all the others.
                  className="[contain:layout_style]"
                >
                  <ErrorBoundary of={row} fallback={() => <BrokenRow row={row} />}>
                    <MessageRow
                      row={row}
                      conversationId={conversationId}
                      position={row.message?.seq ?? (conversation?.last_seq ?? 0) + 1}
                      beginning={item.index === 0 && window_.atStart}
                      active={active === row.key}
                      flashing={flash === row.key}
                      onActive={setActive}
                      onPointed={pointed}
                      onReply={onReply}
                      onEdit={onEdit}
                      onUnread={markUnread}
                      onDay={askForDate}
                      onJump={jumpTo}
                    />
                  </ErrorBoundary>
                </div>
              );
            })}
          </div>
        </div>
      </div>
      {hasUnread && unreadInSight && (virtualizer.range?.startIndex ?? 0) > unreadIndex && (
        <UnreadBar
          count={unreadCount}
          since={rows[unreadIndex]?.createdAt ?? ''}
          onClick={() => seek(unreadIndex, 'start')}
        />
      )}
      {!(atEnd && window_.atEnd) && rows.length > 0 && (
        <LatestButton unread={conversation?.me.unread ?? 0} onClick={toLatest} />
      )}
      {askingDate && (
        <Suspense fallback={null}>
          <JumpToDate onJump={toDate} onClose={() => setAskingDate(false)} />
        </Suspense>
      )}
    </div>
  );
}
