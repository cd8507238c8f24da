/** The measured values, their goals, and how many samples become one figure. */

export type Statistic = 'exact' | 'median' | 'p95' | 'most' | 'least' | 'sum';

export interface Goal {
  what: string;
  unit: string;
  statistic: Statistic;
  /** Null for a value that only explains another figure. */
  goal: number | null;
  /** The goal is a minimum, not a maximum. */
  floor?: boolean;
}

export const GOALS = {
  firstLoad: {
    what: 'First load of the application: JavaScript, gzip',
    unit: 'kB',
    statistic: 'exact',
    goal: 170,
  },
  reload: { what: 'Reload with cache to messages on screen', unit: 'ms', statistic: 'median', goal: 300 },
  stored: {
    what: 'IndexedDB: 50 messages of a conversation',
    unit: 'ms',
    statistic: 'median',
    goal: 10,
  },
  own: { what: 'Enter to own message on screen', unit: 'ms', statistic: 'median', goal: 16 },
  other: { what: 'Enter in one browser to text in the other', unit: 'ms', statistic: 'p95', goal: 60 },
  missed: {
    what: 'Reconnect with 100 missed messages to all on screen',
    unit: 'ms',
    statistic: 'median',
    goal: 500,
  },
  frames: {
    what: 'Scrolling through 10,000 messages: frames a second',
    unit: '/s',
    statistic: 'least',
    goal: 55,
    floor: true,
  },
  longTasks: {
    what: 'Scrolling through 10,000 messages: tasks over 50 ms',
    unit: '',
    statistic: 'sum',
    goal: 0,
  },
  prepending: {
    what: 'Movement of what is being read: older ones above',
    unit: 'px',
    statistic: 'most',
    goal: 0,
  },
  appending: {
    what: 'Movement of what is being read: new ones below',
    unit: 'px',
    statistic: 'most',
    goal: 0,
  },
  growing: {
    what: 'Movement of what is being read: late growth above',
    unit: 'px',
    statistic: 'most',
    goal: 0,
  },
  jumping: {
    what: 'Movement of what is being read: after a jump',
    unit: 'px',
    statistic: 'most',
    goal: 0,
  },
  storedWhileDrawing: {
    what: 'IndexedDB: the same while the conversation is being drawn',
    unit: 'ms',
    statistic: 'median',
    goal: null,
  },
  floor: {
    what: 'Enter to a line on screen on a page with a box, a list and nothing else',
    unit: 'ms',
    statistic: 'median',
    goal: null,
  },
  otherMedian: {
    what: 'Enter in one browser to text in the other, median',
    unit: 'ms',
    statistic: 'median',
    goal: null,
  },
  keyToSend: { what: '… from Enter to the frame on its way', unit: 'ms', statistic: 'median', goal: null },
  sendToAck: { what: '… from there to its acknowledgement', unit: 'ms', statistic: 'median', goal: null },
  sendToOther: {
    what: '… from there to the frame at the other browser',
    unit: 'ms',
    statistic: 'median',
    goal: null,
  },
  otherToDrawn: { what: '… from there to the text in the page', unit: 'ms', statistic: 'median', goal: null },
  drawnToPaint: { what: '… from there to the paint', unit: 'ms', statistic: 'median', goal: null },
} satisfies Record<string, Goal>;

export type Key = keyof typeof GOALS;

export function percentile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  const rank = Math.ceil((share / 100) * sorted.length);
  return sorted[Math.max(0, rank - 1)] ?? Number.NaN;
}

/** Returns one figure for many samples; NaN for none. */
export function figureOf(statistic: Statistic, samples: readonly number[]): number {
  switch (statistic) {
    case 'exact':
      return samples[0] ?? Number.NaN;
    case 'median':
      return percentile(samples, 50);
    case 'p95':
      return percentile(samples, 95);
    case 'most':
      return samples.length === 0 ? Number.NaN : Math.max(...samples);
    case 'least':
      return samples.length === 0 ? Number.NaN : Math.min(...samples);
    case 'sum':
      return samples.reduce((sum, one) => sum + one, 0);
  }
}
