export function WallView() {
  return <main />;
}
