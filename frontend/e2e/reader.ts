/** A simulated screen reader: walks Chromium's accessibility tree and returns what it would announce. */
import type { CDPSession, Page } from '@playwright/test';

export interface Heard {
  role: string;
  name: string;
  description: string;
  level: number | null;
  states: string[];
  children: Heard[];
}

interface AxNode {
  nodeId: string;
  ignored: boolean;
  role?: { value: string };
  name?: { value: string };
  description?: { value: string };
  properties?: { name: string; value: { value?: unknown } }[];
  childIds?: string[];
}

/** Their name contains everything inside them. */
const WHOLE = new Set([
  ...['button', 'link', 'textbox', 'searchbox', 'combobox', 'checkbox', 'switch', 'radio', 'slider'],
  ...['option', 'menuitem', 'menuitemradio', 'menuitemcheckbox', 'tab', 'image', 'Date', 'DateTime'],
]);
/** Parts of the browser's own controls, named by the browser. */
const BROWSERS_OWN = new Set(['Show date picker Show date picker']);
/** Announced besides role and name; `pressed: false` is announced as well, the others only when true. */
const STATES = ['checked', 'disabled', 'expanded', 'pressed', 'selected'];
const LANDMARKS = new Set(['main', 'navigation', 'complementary', 'banner', 'contentinfo', 'search', 'form']);
const NAMED = new Set([...WHOLE, 'dialog', 'feed', 'list box', 'listbox', 'menu', 'toolbar', 'article']);

/** The whole page as announced. */
export async function listen(page: Page): Promise<Heard> {
  const devtools: CDPSession = await page.context().newCDPSession(page);
  const answer = (await devtools.send('Accessibility.getFullAXTree')) as { nodes: AxNode[] };
  await devtools.detach();
  const byId = new Map(answer.nodes.map((one) => [one.nodeId, one]));
  const below = (node: AxNode): Heard[] =>
    (node.childIds ?? []).flatMap((id) => {
      const child = byId.get(id);
      return child === undefined || child.role?.value === 'InlineTextBox' ? [] : heard(child);
    });
  const heard = (node: AxNode): Heard[] => {
    if (node.ignored) return below(node);
    const properties = Object.fromEntries((node.properties ?? []).map((one) => [one.name, one.value.value]));
    return [
      {
        role: node.role?.value ?? '',
        name: node.name?.value.trim() ?? '',
        description: node.description?.value.trim() ?? '',
        level: typeof properties.level === 'number' ? properties.level : null,
        states: STATES.filter((name) => String(properties[name]) === 'true'),
        children: below(node),
      },
    ];
  };
  const root = answer.nodes[0];
  if (root === undefined) throw new Error('The page has no accessibility tree.');
  return { role: 'page', name: '', description: '', level: null, states: [], children: heard(root) };
}

/** Everything with a role, in reading order. */
export function all(from: Heard, role?: string): Heard[] {
  const inside = from.children.flatMap((one) => all(one, role));
  return role === undefined || from.role === role ? [from, ...inside] : inside;
}

export function only(from: Heard, role: string, name: string | RegExp): Heard {
  const found = all(from, role).filter((one) =>
    typeof name === 'string' ? one.name === name : name.test(one.name),
  );
  if (found.length !== 1 || found[0] === undefined)
    throw new Error(`${found.length} of ${role} ${name}: ${all(from, role).map((one) => one.name)}`);
  return found[0];
}

/** One element as announced on focus: name, role, states, and description. */
export function said({ role, name, states, description }: Heard): string {
  return [name, role, ...states, description].filter(Boolean).join(', ');
}

/** Continuous reading, one line for each element. */
export function readOut(from: Heard): string[] {
  if (from.role === 'StaticText') return [from.name];
  if (from.role === 'heading') return [`heading ${from.level}: ${from.name}`];
  if (WHOLE.has(from.role)) return [said(from)];
  const inside = from.children.flatMap(readOut);
  return from.name !== '' && from.role !== 'article' ? [`${from.role}: ${from.name}`, ...inside] : inside;
}

/** Problems for listeners: elements without a name, repetitions, headings out of order. */
export function faults(page: Heard): string[] {
  const found: string[] = [];
  const things = all(page);
  for (const one of things) {
    if (NAMED.has(one.role) && one.name === '') found.push(`${one.role} without a name`);
    if (one.role === 'Iframe' || one.role === 'Canvas') found.push(`${one.role} that is not readable`);
    if (one.name !== '' && one.description !== '' && repeats(one.name, one.description))
      found.push(`announced twice: ${said(one)}`);
    if (WHOLE.has(one.role) && stutters(one.name) && !BROWSERS_OWN.has(one.name))
      found.push(`repeats itself: ${said(one)}`);
  }
  for (const role of LANDMARKS) {
    const names = things.filter((one) => one.role === role).map((one) => one.name);
    if (new Set(names).size < names.length) found.push(`${role} landmarks with the same name`);
  }
  const lines = things.filter((one) => one.role === 'StaticText' && one.name !== '').map((one) => one.name);
  lines.forEach((line, at) => {
    if (line.length > 2 && line === lines[at + 1]) found.push(`the same line twice in a row: ${line}`);
  });
  // Content behind a modal dialog is not announced, including its first heading.
  let before = things.some((one) => one.role === 'dialog') ? 1 : 0;
  for (const one of things.filter((thing) => thing.role === 'heading')) {
    if (one.name === '') found.push('heading without a name');
    if ((one.level ?? 0) > before + 1) found.push(`heading ${one.level} after ${before}: ${one.name}`);
    before = one.level ?? 0;
  }
  return found;
}

function repeats(name: string, description: string): boolean {
  const one = name.toLowerCase();
  const other = description.toLowerCase();
  return other.startsWith(one) || one.endsWith(other);
}

/** "Reply Reply": the second half repeats the first. */
function stutters(name: string): boolean {
  const words = name.toLowerCase().split(/\s+/);
  const half = words.length / 2;
  return words.length % 2 === 0 && half > 0 && words.slice(0, half).join(' ') === words.slice(half).join(' ');
}

/** Records what live regions announce from now on, in order; an atomic one announces all its text at each change. */
export async function overhear(page: Page): Promise<() => Promise<string[]>> {
  await page.evaluate(() => {
    const live =
      '[aria-live="polite"], [aria-live="assertive"], [role="status"], [role="alert"], [role="log"]';
    const words: string[] = [];
    Object.assign(window, { overheard: words });
    new MutationObserver((changes) => {
      const regions = new Set<Element>();
      for (const change of changes) {
        const target = change.target instanceof Element ? change.target : change.target.parentElement;
        const region = target?.closest(live);
        if (region != null && (change.type === 'characterData' || change.addedNodes.length > 0))
          regions.add(region);
        for (const added of change.addedNodes) {
          if (!(added instanceof Element)) continue;
          if (added.matches('[role="alert"]')) regions.add(added);
          for (const inner of added.querySelectorAll('[role="alert"]')) regions.add(inner);
        }
      }
      for (const region of regions) {
        const text = region.textContent?.trim() ?? '';
        if (text !== '') words.push(text);
      }
    }).observe(document.body, { childList: true, characterData: true, subtree: true });
  });
  return () => page.evaluate(() => [...(window as unknown as { overheard: string[] }).overheard]);
}
