// What is used here of packages that npm run bench installs, for type checks without them.

declare module 'zeromq' {
  export class Pair {
    bind(address: string): Promise<void>;
    connect(address: string): void;
    send(message: Buffer): Promise<void>;
    close(): void;
    readonly lastEndpoint: string | null;
    [Symbol.asyncIterator](): AsyncIterator<[Buffer]>;
  }
}

declare module 'ws' {
  import type { EventEmitter } from 'node:events';
  interface Options {
    readonly host?: string;
    readonly port?: number;
    readonly maxPayload?: number;
    readonly perMessageDeflate?: boolean;
  }
  export class WebSocket extends EventEmitter {
    constructor(url: string, options: Options);
    send(message: Buffer): void;
    close(): void;
  }
  export class WebSocketServer extends EventEmitter {
    constructor(options: Options);
    address(): { port: number };
    close(): void;
  }
}

declare module '@grpc/grpc-js' {
  import type { EventEmitter } from 'node:events';
  type Codec = (bytes: Buffer) => Buffer;
  interface Credentials {
    readonly isSecure?: boolean;
  }
  export interface Stream extends EventEmitter {
    write(message: Buffer): void;
    end(): void;
  }
  export class Server {
    constructor(options: object);
    addService(service: object, implementation: { exchange: (stream: Stream) => void }): void;
    bindAsync(address: string, credentials: Credentials, bound: (error: Error | null, port: number) => void): void;
    forceShutdown(): void;
  }
  export class Client {
    constructor(address: string, credentials: Credentials, options: object);
    makeBidiStreamRequest(path: string, serialize: Codec, deserialize: Codec): Stream;
    close(): void;
  }
  export const credentials: { createInsecure(): Credentials };
  export const ServerCredentials: { createInsecure(): Credentials };
}
