/** Content of DATA frames in hexadecimal: gRPC messages, whole and cut, right and wrong. */
export const messageCorpus: readonly string[] = [
  "00 00000000",
  "00 00000005 68656c6c6f",
  "00 00000001 61 00 00000002 6263 00 00000000 00 00000003 646566",
  "00 00000010 000102030405060708090a0b0c0d0e0f",
  "00 00000400 " + "5a".repeat(1024),
  "00 00000800 " + "a5".repeat(2048),
  "00 00000005 6865",
  "00 000000",
  "01 00000005 68656c6c6f",
  "02 00000000",
  "00 ffffffff 00",
  "00 00010001 00",
];
