export function SystemView() {
  return <main />;
}
