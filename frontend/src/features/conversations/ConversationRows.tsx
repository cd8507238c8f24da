import { useVirtualizer } from '@tanstack/react-virtual';
import type { ReactNode, RefObject } from 'react';
import { useI18n } from '@/app/context';
import type { Conversation } from '@/protocol';
import { ConversationRow } from './ConversationRow';

/** Up to this number every row is rendered, so that the browser's own search finds it. */
const ALL_UP_TO = 200;
const ROW_PX = 64;
const GAP_PX = 2;

export interface ConversationRowsProps {
  conversations: Conversation[];
  selected: string | null;
  onSelect: (id: string) => void;
  scroller: RefObject<HTMLDivElement | null>;
}

/** The rows of the list: all of them, or in a very long list the visible ones. */
export function ConversationRows(props: ConversationRowsProps) {
  const { conversations, selected, onSelect } = props;
  if (conversations.length > ALL_UP_TO) return <RowsInSight {...props} />;
  return (
    <List>
      {conversations.map((one) => (
        <ConversationRow key={one.id} conversation={one} selected={one.id === selected} onSelect={onSelect} />
      ))}
    </List>
  );
}

function RowsInSight({ conversations, selected, onSelect, scroller }: ConversationRowsProps) {
  'use no memo';
  const virtualizer = useVirtualizer<HTMLDivElement, HTMLLIElement>({
    count: conversations.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => ROW_PX,
    getItemKey: (index) => conversations[index]?.id ?? index,
    gap: GAP_PX,
    overscan: 10,
  });
  const items = virtualizer.getVirtualItems();
  return (
    <List height={virtualizer.getTotalSize()} start={items[0]?.start ?? 0}>
      {items.map(({ key, index }) => {
        const one = conversations[index] as Conversation;
        return (
          <ConversationRow
            key={key}
            conversation={one}
            selected={one.id === selected}
            onSelect={onSelect}
            place={{ index, of: conversations.length, measure: virtualizer.measureElement }}
          />
        );
      })}
    </List>
  );
}

function List({ height, start, children }: { height?: number; start?: number; children: ReactNode }) {
  const { t } = useI18n();
  const style = height === undefined ? undefined : { height, paddingTop: start };
  return (
    // biome-ignore lint/a11y/noRedundantRoles: without its bullets Safari does not expose it as a list.
    <ul role="list" aria-label={t('conversations.label')} className="flex flex-col gap-0.5" style={style}>
      {children}
    </ul>
  );
}
