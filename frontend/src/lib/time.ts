/** Formats times through Intl. Formatters are expensive to create and are cached for each language. */
import type { I18n } from './i18n';

const formatters = new Map<string, Intl.DateTimeFormat>();

/** The user's region if it uses the chosen language, because "English" does not define 12 or 24 hours. */
function localeOf(language: string): string {
  return navigator.languages?.find((one) => one.toLowerCase().startsWith(language)) ?? language;
}

function formatter(language: string, name: string, options: Intl.DateTimeFormatOptions): Intl.DateTimeFormat {
  const key = `${language} ${name}`;
  const known = formatters.get(key);
  if (known !== undefined) return known;
  const made = new Intl.DateTimeFormat(localeOf(language), options);
  formatters.set(key, made);
  return made;
}

export function clockTime({ language }: I18n, iso: string): string {
  return formatter(language, 'time', { hour: '2-digit', minute: '2-digit' }).format(new Date(iso));
}

export function fullTime({ language }: I18n, iso: string): string {
  return formatter(language, 'full', { dateStyle: 'full', timeStyle: 'short' }).format(new Date(iso));
}

/** Returns the same value for all times of one local day. */
export function dayKey(iso: string): string {
  const date = new Date(iso);
  return `${date.getFullYear()}-${date.getMonth()}-${date.getDate()}`;
}

function daysAgo(date: Date, now: Date): number {
  const midnight = (one: Date) => Date.UTC(one.getFullYear(), one.getMonth(), one.getDate());
  return Math.round((midnight(now) - midnight(date)) / 86_400_000);
}

export function dayLabel(i18n: I18n, iso: string, now: Date = new Date()): string {
  const date = new Date(iso);
  const ago = daysAgo(date, now);
  if (ago === 0) return i18n.t('time.today');
  if (ago === 1) return i18n.t('time.yesterday');
  const sameYear = date.getFullYear() === now.getFullYear();
  return formatter(i18n.language, sameYear ? 'day' : 'dayYear', {
    weekday: 'long',
    day: 'numeric',
    month: 'long',
    ...(sameYear ? {} : { year: 'numeric' }),
  }).format(date);
}

/** For lists: a time today, a weekday this week, else a date. */
export function shortWhen(i18n: I18n, iso: string, now: Date = new Date()): string {
  const date = new Date(iso);
  const ago = daysAgo(date, now);
  if (ago === 0) return clockTime(i18n, iso);
  if (ago === 1) return i18n.t('time.yesterday');
  if (ago < 7) return formatter(i18n.language, 'weekday', { weekday: 'short' }).format(date);
  return formatter(i18n.language, 'date', { day: 'numeric', month: 'short', year: '2-digit' }).format(date);
}

/** "40 seconds", "3 minutes": the time to wait, rounded up. */
export function waitText({ language }: I18n, ms: number): string {
  const seconds = Math.max(1, Math.ceil(ms / 1000));
  const [n, unit] =
    seconds < 90
      ? [seconds, 'second']
      : seconds < 5_400
        ? [Math.ceil(seconds / 60), 'minute']
        : [Math.ceil(seconds / 3600), 'hour'];
  return new Intl.NumberFormat(language, { style: 'unit', unit, unitDisplay: 'long' }).format(n);
}

/** "5 minutes ago", for last seen. */
export function ago({ language, t }: I18n, iso: string, now: Date = new Date()): string {
  const seconds = Math.round((now.getTime() - Date.parse(iso)) / 1000);
  if (seconds < 60) return t('time.now');
  const relative = new Intl.RelativeTimeFormat(language, { numeric: 'auto' });
  if (seconds < 3600) return relative.format(-Math.round(seconds / 60), 'minute');
  if (seconds < 86_400) return relative.format(-Math.round(seconds / 3600), 'hour');
  return relative.format(-Math.round(seconds / 86_400), 'day');
}
