import { expect, it } from 'vitest';
import { FakeClock } from '../../test/fake/clock';
import { Announcer } from './announcer';

const more = (count: number) => `${count} more`;

function attached() {
  const clock = new FakeClock();
  const element = document.createElement('div');
  const announcer = new Announcer(clock);
  announcer.attach(element);
  return { clock, element, announcer };
}

it('announces texts within a short time together', async () => {
  const { announcer, clock, element } = attached();
  announcer.say('Anna: one', more);
  announcer.say('Ben: two', more);
  expect(element.textContent).toBe('');
  await clock.advance(500);
  expect(element.textContent).toBe('Anna: one. Ben: two');
  announcer.say('Anna: three', more);
  await clock.advance(500);
  expect(element.textContent).toBe('Anna: three');
});

it('announces the same text again, and leaves nothing behind', async () => {
  const { announcer, clock, element } = attached();
  announcer.say('Anna: yes', more);
  await clock.advance(500);
  announcer.say('Anna: yes', more);
  await clock.advance(500);
  expect(element.textContent).toBe('Anna: yes\u00A0');
  await clock.advance(5_000);
  expect(element.textContent).toBe('');
});

it('announces the number and the last of many texts', async () => {
  const { announcer, clock, element } = attached();
  for (let n = 1; n <= 40; n += 1) announcer.say(`Anna: ${n}`, more);
  await clock.advance(500);
  expect(element.textContent).toBe('38 more. Anna: 39. Anna: 40');
});
