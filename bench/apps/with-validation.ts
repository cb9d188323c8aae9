// `without-module` as most applications are: with what Nest's ValidationPipe needs, which the module uses too.
import 'class-transformer';
import 'class-validator';
await import('./without-module.js');
