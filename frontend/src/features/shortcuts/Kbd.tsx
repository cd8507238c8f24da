export function Kbd({ names }: { names: readonly string[] }) {
  return (
    <span className="flex gap-1">
      {names.map((name) => (
        <kbd
          key={name}
          className="min-w-7 rounded-md border border-line bg-sidebar px-1.5 py-0.5 text-center font-sans text-sm whitespace-nowrap"
        >
          {name}
        </kbd>
      ))}
    </span>
  );
}
