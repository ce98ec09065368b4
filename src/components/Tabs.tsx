import React from 'react';

export interface ITabsProps {
  label: string;
  tabs: { id: string; label: string }[];
  selected: string;
  onSelect: (id: string) => void;
  /** The content of the selected tab. */
  children: React.ReactNode;
}

/** Tabs within a page; the arrow keys cycle through them. */
export function Tabs(props: ITabsProps): JSX.Element {
  const { label, tabs, selected, onSelect, children } = props;
  const go = (event: React.KeyboardEvent, by: number) => {
    const at = tabs.findIndex(tab => tab.id === selected);
    const next = tabs[(at + by + tabs.length) % tabs.length];
    onSelect(next.id);
    event.currentTarget
      .querySelector<HTMLElement>(`[data-tab="${next.id}"]`)
      ?.focus();
  };
  const onKeyDown = (event: React.KeyboardEvent) => {
    if (event.key === 'ArrowRight') {
      go(event, 1);
    } else if (event.key === 'ArrowLeft') {
      go(event, -1);
    }
  };
  return (
    <>
      <div
        className="jp-Satflow-tabs"
        role="tablist"
        aria-label={label}
        onKeyDown={onKeyDown}
      >
        {tabs.map(tab => (
          <button
            key={tab.id}
            type="button"
            role="tab"
            data-tab={tab.id}
            data-testid={`satflow-tab-${tab.id}`}
            aria-selected={tab.id === selected}
            tabIndex={tab.id === selected ? 0 : -1}
            onClick={() => onSelect(tab.id)}
          >
            {tab.label}
          </button>
        ))}
      </div>
      <div className="jp-Satflow-tabPanel" role="tabpanel">
        {children}
      </div>
    </>
  );
}
