DROP INDEX `exceptions_destination`;--> statement-breakpoint
CREATE INDEX `exceptions_destination` ON `exceptions` (`organization_id`,`destination_id`,`updated_at`);--> statement-breakpoint
CREATE INDEX `audit_actor` ON `audit` (`organization_id`,`actor`,`at`);--> statement-breakpoint
CREATE INDEX `audit_action` ON `audit` (`organization_id`,`action`,`at`);