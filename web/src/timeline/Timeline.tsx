/** The timeline of a stream: a line of time with what is recorded of it, drawn on a canvas, which is a slider for keys and for who does not see it (docs/design/page.md, G6). */
import { effect } from '@preact/signals';
import { Crosshair, Maximize2, ZoomIn, ZoomOut } from 'lucide';
import { useEffect, useMemo, useRef } from 'preact/hooks';
import { sentence } from '../api';
import { Button } from '../parts/Button';
import { now } from '../state/clock';
import { theme, zone } from '../state/settings';
import { Bubble } from './Bubble';
import { TimelineControl } from './control';
import { listenToGestures } from './gestures';
import type { TimelineProps } from './props';
import { Surface } from './surface';
import { TilePictures } from './tilePictures';
import './timeline.css';

export function Timeline(props: TimelineProps) {
  const line = useRef<HTMLDivElement>(null);
  const canvas = useRef<HTMLCanvasElement>(null);
  const latest = useRef(props);
  latest.current = props;
  // It is of one stream for good: what it is made of stays, but for what is called.
  const { control, tiles, changed } = useMemo(() => {
    const surface: { changed?: () => void } = {};
    const tiles = new TilePictures(props.pictures, props.code, () => surface.changed?.());
    const control = new TimelineControl({ ...props, onSeek: (ms) => latest.current.onSeek(ms) }, tiles);
    return { tiles, control, changed: surface };
  }, []);

  useEffect(() => {
    if (line.current === null || canvas.current === null) return undefined;
    const element = line.current;
    const surface = new Surface(canvas.current, (width) => {
      const drawing = control.draw(width);
      props.data.want(props.view.peek(), width, props.edgeMs.peek());
      return drawing;
    });
    changed.changed = surface.changed;
    const ends = [
      listenToGestures(
        element,
        control.meant(() => element.clientWidth),
      ),
      effect(() => {
        void [props.view.value, props.edgeMs.value, props.keeps.value, props.marks.value, props.isLive.value];
        void [props.positionMs.value, props.data.version.value, zone.value];
        // A gap that goes on grows.
        if (props.openGap.value) void now.value;
        surface.changed();
      }),
      effect(() => {
        void theme.value;
        surface.recolour();
      }),
      effect(() => {
        void [props.positionMs.value, props.isLive.value, props.data.version.value];
        control.follow();
      }),
      effect(() => {
        if (props.revision.value > 0) props.data.outdate();
      }),
    ];
    return () => {
      for (const end of ends) end();
      surface.close();
      tiles.close();
      control.close();
    };
  }, []);

  return (
    <section class="timeline" aria-label="Timeline">
      <div class="timeline-place">
        <Line control={control} line={line} canvas={canvas} />
        <Pointed props={props} control={control} line={line} />
        <Note props={props} />
      </div>
      <Tools control={control} />
    </section>
  );
}

interface LineProps {
  readonly control: TimelineControl;
  readonly line: { readonly current: HTMLDivElement | null };
  readonly canvas: { readonly current: HTMLCanvasElement | null };
}

function Line({ control, line, canvas }: LineProps) {
  const { min, max, now: at, text } = control.spoken.value;
  return (
    <div
      ref={line}
      class="timeline-line"
      role="slider"
      tabIndex={0}
      aria-label="Position"
      aria-valuemin={min}
      aria-valuemax={max}
      aria-valuenow={at}
      aria-valuetext={text}
      aria-keyshortcuts="ArrowLeft ArrowRight PageUp PageDown Home End + - [ ]"
      onFocus={control.say}
      onKeyDown={(event) => {
        if (control.onKey(event, event.currentTarget.clientWidth)) event.preventDefault();
      }}
    >
      <canvas ref={canvas} class="timeline-canvas" />
    </div>
  );
}

function Pointed({
  props,
  control,
  line,
}: {
  readonly props: TimelineProps;
  readonly control: TimelineControl;
  readonly line: LineProps['line'];
}) {
  const pointed = control.pointed.value;
  if (pointed === undefined) return null;
  const { x, moment, lines, pictureMs } = pointed;
  return (
    <Bubble
      code={props.code}
      pictures={props.pictures}
      x={x}
      lineWidth={line.current?.clientWidth ?? 0}
      moment={moment}
      lines={lines}
      pictureMs={pictureMs}
    />
  );
}

/** Why there is nothing to see. */
function Note({ props: { data, edgeMs, openGap } }: { readonly props: TimelineProps }) {
  void data.version.value;
  const problem = data.problem.value;
  const isEmpty = data.isLoaded && data.newestMs === undefined && edgeMs.value === undefined && openGap.value === undefined;
  if (problem !== undefined && !data.isLoaded) return <p class="timeline-note">{sentence(problem)} It is asked again by itself.</p>;
  return isEmpty ? <p class="timeline-note">Nothing is recorded yet.</p> : null;
}

function Tools({ control }: { readonly control: TimelineControl }) {
  return (
    <div class="timeline-tools">
      <Button icon={ZoomIn} label="Show less time" keys="+" kind="plain" onClick={() => control.zoomBy(0.5)} />
      <Button icon={ZoomOut} label="Show more time" keys="-" kind="plain" onClick={() => control.zoomBy(2)} />
      <Button icon={Maximize2} label="Show all there is" kind="plain" onClick={control.showAll} />
      <Button
        icon={Crosshair}
        label="Follow the position"
        kind="plain"
        pressed={control.isFollowing.value}
        onClick={control.startFollowing}
      />
    </div>
  );
}
