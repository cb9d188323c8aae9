import { Injectable, type CanActivate } from '@nestjs/common';
import { AuditLog } from 'nestjs-maskinporten';

/**
 * For handlers whose calls must be recorded: they begin when the log can be asked, so that none of their deadlines runs
 * while its database is made. A log that cannot be opened lets them through, and refuses their calls (F-133).
 */
@Injectable()
export class OpenLogGuard implements CanActivate {
  constructor(private readonly log: AuditLog) {}

  async canActivate(): Promise<boolean> {
    await this.log.store.opened?.catch(() => undefined);
    return true;
  }
}
