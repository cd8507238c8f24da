import { expect, it } from 'vitest';
import type { Contact, Conversation, ConversationPatch, Member, Role, User } from '@/protocol';
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

const before = {
  id: 'room',
  name: 'Before',
  description: 'Old',
  max_participants: 10,
  member_count: 3,
  updated_at: '2026-11-30T10:00:00.500Z',
  last_seq: 7,
  me: { role: 'member', read_seq: 4, pinned: false, draft: 'later', muted_until: null, unread_from: 2 },
} as Conversation;

const LATER = '2026-11-30T10:00:01.000Z';
const EARLIER = '2026-11-30T10:00:00.000Z';

it.each<[string, Omit<ConversationPatch, 'id'>, Partial<Conversation>, Partial<Conversation['me']>]>([
  ['nothing but the time', { updated_at: LATER }, { updated_at: LATER }, {}],
  ['an earlier time', { updated_at: EARLIER, name: 'After' }, { name: 'After' }, {}],
  [
    'shared fields',
    { updated_at: LATER, name: 'After', description: '', max_participants: null, member_count: 4 },
    { updated_at: LATER, name: 'After', description: '', max_participants: null, member_count: 4 },
    {},
  ],
  ['an own setting', { updated_at: LATER, me: { pinned: true } }, { updated_at: LATER }, { pinned: true }],
  [
    'a setting that becomes null',
    { updated_at: LATER, name: null, me: { muted_until: null } },
    { updated_at: LATER, name: null },
    { muted_until: null },
  ],
  ['an empty draft', { updated_at: LATER, me: { draft: '' } }, { updated_at: LATER }, { draft: '' }],
  ['another mark', { updated_at: LATER, me: { unread_from: 1 } }, { updated_at: LATER }, { unread_from: 1 }],
  [
    'a removed mark',
    { updated_at: LATER, me: { unread_from: null } },
    { updated_at: LATER },
    { unread_from: undefined },
  ],
])('an update with %s changes it and keeps the rest', (_, patch, changed, own) => {
  const state = { ...EMPTY, me, conversations: { room: before } };
  const frame = { type: 'conversation.updated', conversation: { id: 'room', ...patch } } as const;
  const after = applyFrame(state, frame, 0).conversations.room;
  expect(after).toEqual({ ...before, ...changed, me: { ...before.me, ...own } });
  expect(Object.values(after?.me ?? {})).not.toContain(undefined);
});

it('an update of an unknown conversation changes nothing', () => {
  const conversation = { id: 'other', updated_at: LATER, name: 'After' };
  expect(applyFrame(EMPTY, { type: 'conversation.updated', conversation }, 0)).toBe(EMPTY);
});

const ben = { id: 'ben', username: 'ben', display_name: 'Ben', avatar_url: null, bio: '' } as User;
const renamed: User = { ...ben, display_name: 'Benjamin', avatar_url: '/ben.png', bio: 'Hello' };

it.each<[string, (state: ChatState) => unknown, unknown]>([
  ['as the sender of messages', (state) => state.people.ben, renamed],
  ['in a list of members', (state) => state.members.group?.ben, { user: renamed, role: 'admin' }],
  ['as the peer of a direct conversation', (state) => state.conversations.direct?.peer, renamed],
  ['as a contact', (state) => state.contacts.ben, { user: renamed, nickname: 'B.' }],
  ['as a blocked user', (state) => state.blocked.ben, renamed],
])('a changed user is updated %s', (_, copy, expected) => {
  const state = {
    ...group('member'),
    people: { ben },
    members: { group: { ben: { user: ben, role: 'admin' } as Member }, other: {} },
    contacts: { ben: { user: ben, nickname: 'B.' } as Contact },
    blocked: { ben },
  };
  state.conversations.direct = { id: 'direct', kind: 'direct', peer: ben } as Conversation;
  const after = applyFrame(state, { type: 'user.updated', user: renamed }, 0);
  expect(copy(after)).toEqual(expected);
  expect(after.conversations.group).toBe(state.conversations.group);
  expect(after.me).toBe(me);
});

it("a change of the user's own profile keeps the private fields", () => {
  const own = { ...EMPTY, me: { ...me, email: 'anna@example.org' } };
  const user = { ...ben, id: 'anna', display_name: 'Anna B.' };
  const after = applyFrame(own, { type: 'user.updated', user }, 0);
  expect(after.me).toEqual({ ...user, email: 'anna@example.org' });
  expect(after.contacts).toBe(own.contacts);
  expect(after.blocked).toBe(own.blocked);
});

it('a block that another device sets or lifts changes the block list', () => {
  const blocked = applyFrame(EMPTY, { type: 'block.updated', user: ben, blocked: true }, 0);
  expect(blocked.blocked).toEqual({ ben });
  expect(blocked.people.ben).toBe(ben);
  expect(applyFrame(blocked, { type: 'block.updated', user: ben, blocked: false }, 0).blocked).toEqual({});
});

it.each<[Role, Role]>([
  ['member', 'admin'],
  ['admin', 'member'],
  ['admin', 'owner'],
])("a change of the user's own role from %s to %s takes effect immediately", (from, to) => {
  const state = applyFrame(group(from), updated('anna', to), 0);
  expect(state.conversations.group?.me.role).toBe(to);
});

it("the role of another member does not change the user's own role", () => {
  const state = applyFrame(group('member'), updated('ben', 'admin'), 0);
  expect(state.conversations.group?.me.role).toBe('member');
});
