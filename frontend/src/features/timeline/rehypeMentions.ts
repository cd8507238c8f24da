interface Node {
  type: string;
  tagName?: string;
  value?: string;
  properties?: Record<string, unknown>;
  children?: Node[];
}

const MENTION = /(^|[\s(])(@[A-Za-z0-9_.-]{2,31}[A-Za-z0-9_-])/g;

/** Sets `@username` apart, outside of code and links. */
export function rehypeMentions() {
  return (tree: unknown) => walk(tree as Node);
}

function walk(node: Node): void {
  if (node.children === undefined || node.tagName === 'code' || node.tagName === 'a') return;
  node.children = node.children.flatMap((child) => {
    if (child.type !== 'text') {
      walk(child);
      return [child];
    }
    return split(child.value ?? '');
  });
}

function split(text: string): Node[] {
  const nodes: Node[] = [];
  let from = 0;
  for (const match of text.matchAll(MENTION)) {
    const start = match.index + (match[1]?.length ?? 0);
    const name = match[2] ?? '';
    nodes.push({ type: 'text', value: text.slice(from, start) });
    nodes.push({
      type: 'element',
      tagName: 'span',
      properties: { className: ['mention'] },
      children: [{ type: 'text', value: name }],
    });
    from = start + name.length;
  }
  nodes.push({ type: 'text', value: text.slice(from) });
  return nodes;
}
