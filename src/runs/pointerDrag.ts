/** What a pointer does on an element. */
export interface IPointerActions {
  /** It moved without a pressed button. */
  onMove: (event: PointerEvent) => void;
  /** It was moved by some pixels to the right and down while its button was pressed. */
  onDrag: (right: number, down: number) => void;
  /** Its button was pressed and released in the same place. */
  onClick: (event: PointerEvent) => void;
}

/** Movement in pixels from which a press of the button is a drag. */
const DRAG_DISTANCE = 3;

/**
 * Distinguish drags from clicks.
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
  let drag: { x: number; y: number; hasMoved: boolean } | null = null;
  const onDown = ({ button, clientX: x, clientY: y }: PointerEvent) => {
    drag = button === 0 ? { x, y, hasMoved: false } : null;
  };
  const onMove = (event: PointerEvent) => {
    if (!drag || event.buttons !== 1) {
      drag = null;
      actions.onMove(event);
      return;
    }
    const { clientX: x, clientY: y } = event;
    const [right, down] = [x - drag.x, y - drag.y];
    if (drag.hasMoved || Math.hypot(right, down) >= DRAG_DISTANCE) {
      element.setPointerCapture(event.pointerId);
      drag = { x, y, hasMoved: true };
      actions.onDrag(right, down);
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
