import { expect, it } from 'vitest';
import type { Conversation, Member, Role } from '@/protocol';
import { applyFrame } from './reduce';
import { type ChatState, EMPTY } from './state';

const me = { id: 'anna', username: 'anna' } as NonNullable<ChatState['me']>;

function group(role: Role): ChatState {
  const conversation = { id: 'group', member_count: 2, me: { role } } as Conversation;
  return { ...EMPTY, me, conversations: { group: conversation } };
}

function updated(id: string, role: Role) {
  const member = { user: { id, username: id }, role } as Member;
  return { type: 'member.updated', conversation_id: 'group', member } as const;
}

it.each<[Role, Role]>([
  ['member', 'admin'],
  ['admin', 'member'],
  ['admin', 'owner'],
])('an own role that changes from %s to %s takes effect at once', (from, to) => {
  const state = applyFrame(group(from), updated('anna', to), 0);
  expect(state.conversations.group?.me.role).toBe(to);
});

it('the role of another member leaves the own one as it is', () => {
  const state = applyFrame(group('member'), updated('ben', 'admin'), 0);
  expect(state.conversations.group?.me.role).toBe('member');
});
