import { openOurClient, openOurServer } from "./interop-link.ts";
import { describeInterop } from "./interop-suite.ts";
import { findPythonWithGrpc, openPythonServer, PythonInteropClient } from "./python-peer.ts";

const python = findPythonWithGrpc();
const noPython = python === null ? "no Python has grpc (Debian package python3-grpcio)" : null;

describeInterop(
  [
    {
      title: "Python as client of our server",
      openServer: openOurServer,
      openClient: (port, trust) => new PythonInteropClient(python ?? "", port, trust),
    },
    {
      title: "our client and Python as server",
      openServer: (trust) => openPythonServer(python ?? "", trust),
      openClient: openOurClient,
    },
  ],
  noPython,
);
