// Why a step was not claimed, where the server does not say it.

export function Taken() {
  return (
    <p role="alert" className="problem">
      It cannot be claimed any more: somebody was faster, or it is over.
    </p>
  );
}
