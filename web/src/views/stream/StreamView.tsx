export function StreamView({ code }: { readonly code: string }) {
  return <main>{code}</main>;
}
