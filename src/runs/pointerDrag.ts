/** What a pointer does on an element. */
export interface IPointerActions {
  /** It moved without a pressed button. */
  onMove: (event: PointerEvent) => void;
  /** It was moved by some pixels while its button was pressed. */
  onDrag: (by: number) => void;
  /** Its button was pressed and released in the same place. */
  onClick: (event: PointerEvent) => void;
}

/** Movement in pixels from which a press of the button is a drag. */
const DRAG_DISTANCE = 3;

/**
 * Distinguish horizontal drags from clicks.
 *
 * @param element - the element
 * @param actions - called for each event
 * @param signal - ends the calls
 */
export function followPointer(
  element: HTMLElement,
  actions: IPointerActions,
  signal: AbortSignal
): void {
  let drag: { x: number; hasMoved: boolean } | null = null;
  const onDown = (event: PointerEvent) => {
    drag = event.button === 0 ? { x: event.clientX, hasMoved: false } : null;
  };
  const onMove = (event: PointerEvent) => {
    if (!drag || event.buttons !== 1) {
      drag = null;
      actions.onMove(event);
      return;
    }
    const by = event.clientX - drag.x;
    if (drag.hasMoved || Math.abs(by) >= DRAG_DISTANCE) {
      element.setPointerCapture(event.pointerId);
      drag = { x: event.clientX, hasMoved: true };
      actions.onDrag(by);
    }
  };
  const onUp = (event: PointerEvent) => {
    if (drag && !drag.hasMoved) {
      actions.onClick(event);
    }
    drag = null;
  };
  element.addEventListener('pointerdown', onDown, { signal });
  element.addEventListener('pointermove', onMove, { signal });
  element.addEventListener('pointerup', onUp, { signal });
}
