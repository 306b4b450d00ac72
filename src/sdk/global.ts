/** The script that the deployment serves: it makes `Appmixer` a global. */
import { Appmixer } from "./appmixer.js";

Object.assign(globalThis, { Appmixer });
