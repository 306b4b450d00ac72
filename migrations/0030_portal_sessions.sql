CREATE TABLE `portal_sessions` (
	`id` text PRIMARY KEY NOT NULL,
	`organization_id` integer NOT NULL,
	`tenant_id` text NOT NULL,
	`access` text NOT NULL,
	`frame_ancestors` text NOT NULL,
	`token_hash` text NOT NULL,
	`created_at` integer NOT NULL,
	`opened_at` integer,
	`expires_at` integer NOT NULL,
	FOREIGN KEY (`organization_id`) REFERENCES `organizations`(`id`) ON UPDATE no action ON DELETE no action
);
--> statement-breakpoint
CREATE UNIQUE INDEX `portal_sessions_token` ON `portal_sessions` (`token_hash`);--> statement-breakpoint
CREATE INDEX `portal_sessions_tenant` ON `portal_sessions` (`organization_id`,`tenant_id`);--> statement-breakpoint
CREATE INDEX `portal_sessions_expires` ON `portal_sessions` (`expires_at`);