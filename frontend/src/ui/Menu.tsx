import { Check } from 'lucide-react';
import { createContext, type ReactNode, useContext, useState } from 'react';
import { cx } from '@/lib/cx';
import { EarlyTrigger } from './EarlyTrigger';
import { useLandmark } from './useLandmark';
import { type Radix, useRadix } from './useRadix';

const Parts = createContext<Radix['DropdownMenu'] | null>(null);

function useParts(): Radix['DropdownMenu'] {
  const parts = useContext(Parts);
  if (parts === null) throw new Error('A menu item must be inside a menu');
  return parts;
}

export interface MenuProps {
  /** One button. */
  trigger: ReactNode;
  label: string;
  children: ReactNode;
  align?: 'start' | 'end';
  open?: boolean | undefined;
  onOpenChange?: ((open: boolean) => void) | undefined;
}

/** Not modal: a modal menu hides the whole page from assistive technology while it is open. */
export function Menu({ trigger, label, children, align = 'end', open, onOpenChange }: MenuProps) {
  const parts = useRadix()?.DropdownMenu;
  const { mark, container } = useLandmark();
  const [early, setEarly] = useState(false);
  if (parts === undefined) {
    const press = () => {
      setEarly(true);
      onOpenChange?.(true);
    };
    return <EarlyTrigger onPress={press}>{trigger}</EarlyTrigger>;
  }
  const DropdownMenu = parts;
  return (
    <DropdownMenu.Root modal={false} defaultOpen={early} open={open} onOpenChange={onOpenChange}>
      <span ref={mark} className="contents">
        <DropdownMenu.Trigger asChild>{trigger}</DropdownMenu.Trigger>
      </span>
      <DropdownMenu.Portal container={container}>
        <DropdownMenu.Content
          aria-label={label}
          align={align}
          sideOffset={6}
          collisionPadding={8}
          loop
          className="rise z-50 min-w-48 rounded-xl border border-line bg-raised p-1.5 text-ink shadow-raised"
        >
          <Parts value={parts}>{children}</Parts>
        </DropdownMenu.Content>
      </DropdownMenu.Portal>
    </DropdownMenu.Root>
  );
}

export interface MenuItemProps {
  icon?: ReactNode;
  danger?: boolean;
  disabled?: boolean;
  onSelect: () => void;
  children: ReactNode;
  /** The keyboard shortcut of the same command. */
  hint?: string | undefined;
  /** A tooltip with more detail. */
  title?: string | undefined;
}

const ITEM =
  'flex min-h-9 cursor-pointer items-center gap-3 rounded-lg px-2.5 py-1.5 outline-none data-[highlighted]:bg-hover pointer-coarse:min-h-11';

export function MenuItem({
  icon,
  danger = false,
  disabled = false,
  onSelect,
  children,
  hint,
  title,
}: MenuItemProps) {
  const DropdownMenu = useParts();
  return (
    <DropdownMenu.Item
      disabled={disabled}
      onSelect={onSelect}
      title={title}
      className={cx(ITEM, danger && 'text-danger', disabled && 'opacity-50')}
    >
      <span aria-hidden className="grid w-5 place-items-center">
        {icon}
      </span>
      <span className="flex-1">{children}</span>
      {hint && (
        <kbd aria-hidden className="font-sans text-xs text-muted pointer-coarse:hidden">
          {hint}
        </kbd>
      )}
    </DropdownMenu.Item>
  );
}

export interface MenuChoiceProps<T extends string> {
  label: string;
  value: T;
  options: { value: T; label: string }[];
  onChange: (value: T) => void;
}

export function MenuChoice<T extends string>({ label, value, options, onChange }: MenuChoiceProps<T>) {
  const DropdownMenu = useParts();
  return (
    <DropdownMenu.RadioGroup
      aria-label={label}
      value={value}
      onValueChange={(chosen) => onChange(chosen as T)}
    >
      <DropdownMenu.Label className="px-2.5 pt-1.5 pb-1 text-xs font-medium text-muted">
        {label}
      </DropdownMenu.Label>
      {options.map((one) => (
        <DropdownMenu.RadioItem key={one.value} value={one.value} className={ITEM}>
          <span aria-hidden className="grid w-5 place-items-center">
            <DropdownMenu.ItemIndicator>
              <Check size={16} />
            </DropdownMenu.ItemIndicator>
          </span>
          {one.label}
        </DropdownMenu.RadioItem>
      ))}
    </DropdownMenu.RadioGroup>
  );
}

export function MenuDivider() {
  const DropdownMenu = useParts();
  return <DropdownMenu.Separator className="my-1.5 h-px bg-line" />;
}
