import { concatenate } from "../bytes";
import { charsetOf } from "./charset";

/** The bytes that may say which charset a body has (`charset.ts`). */
const HEAD = 256;

/** Makes text of a body while it comes, so that its bytes need not be held until it is whole. */
export class TextSink {
  /** So many bytes came. */
  size = 0;
  private readonly contentType: string | null;
  private head: Uint8Array[] = [];
  private decoder: TextDecoder | undefined;
  private text = "";

  constructor(contentType: string | null) {
    this.contentType = contentType;
  }

  add(chunk: Uint8Array): void {
    this.size += chunk.byteLength;
    if (this.decoder !== undefined) this.text += this.decoder.decode(chunk, { stream: true });
    else {
      this.head.push(chunk);
      if (this.size >= HEAD) this.begin();
    }
  }

  end(): string {
    const decoder = this.begin();
    return this.text + decoder.decode();
  }

  private begin(): TextDecoder {
    if (this.decoder !== undefined) return this.decoder;
    const head = concatenate(this.head, this.size);
    const decoder = new TextDecoder(charsetOf(head, this.contentType));
    this.text = decoder.decode(head, { stream: true });
    this.head = [];
    return (this.decoder = decoder);
  }
}
