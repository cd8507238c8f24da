/** The logo and the name. */
export function Logo() {
  return (
    <div className="flex items-center justify-center gap-3">
      <svg viewBox="0 0 64 64" className="size-10" aria-hidden="true">
        <rect width="64" height="64" rx="15" fill="#3454d1" />
        <path
          d="M15 22a8 8 0 0 1 8-8h18a8 8 0 0 1 8 8v11a8 8 0 0 1-8 8H30l-9.200 7.400A1.100 1.100 0 0 1 19 47.500V40.300A8 8 0 0 1 15 33z"
          fill="#fff"
        />
        <path
          d="m24.500 28 5 5 10-10"
          fill="none"
          stroke="#3454d1"
          strokeWidth="4"
          strokeLinecap="round"
          strokeLinejoin="round"
        />
      </svg>
      <span className="text-2xl font-semibold tracking-tight">Chat</span>
    </div>
  );
}
