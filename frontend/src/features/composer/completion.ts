/** Finds the text that can be completed and applies a completion. Pure. */
export interface Trigger {
  kind: 'mention' | 'emoji';
  query: string;
  /** The position of the sign that started it. */
  start: number;
  end: number;
}

const MENTION = /(?:^|[\s(])@([A-Za-z0-9_.-]{0,32})$/;
const EMOJI = /(?:^|[\s(])[:]([a-z0-9_+-]{2,32})$/;

export function findTrigger(text: string, caret: number): Trigger | null {
  const before = text.slice(0, caret);
  const mention = MENTION.exec(before);
  if (mention !== null) return make('mention', mention[1] ?? '', caret);
  const emoji = EMOJI.exec(before);
  return emoji === null ? null : make('emoji', emoji[1] ?? '', caret);
}

function make(kind: Trigger['kind'], query: string, caret: number): Trigger {
  return { kind, query, start: caret - query.length - 1, end: caret };
}

export interface Edited {
  text: string;
  caret: number;
}

export function complete(text: string, trigger: Trigger, replacement: string): Edited {
  const after = text.slice(trigger.end);
  const gap = after.startsWith(' ') ? '' : ' ';
  const inserted = replacement + gap;
  return {
    text: text.slice(0, trigger.start) + inserted + after,
    caret: trigger.start + replacement.length + 1,
  };
}

/** Puts `mark` around the selection, or removes it when it is already there. */
export function wrap(
  text: string,
  start: number,
  end: number,
  mark: string,
): { text: string; start: number; end: number } {
  const size = mark.length;
  if (text.slice(start - size, start) === mark && text.slice(end, end + size) === mark) {
    return {
      text: text.slice(0, start - size) + text.slice(start, end) + text.slice(end + size),
      start: start - size,
      end: end - size,
    };
  }
  return {
    text: text.slice(0, start) + mark + text.slice(start, end) + mark + text.slice(end),
    start: start + size,
    end: end + size,
  };
}
