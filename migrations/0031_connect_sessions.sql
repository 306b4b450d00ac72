CREATE TABLE `connect_sessions` (
	`id` text PRIMARY KEY NOT NULL,
	`organization_id` integer NOT NULL,
	`tenant_id` text NOT NULL,
	`terms` text NOT NULL,
	`instance_id` integer,
	`consent` text,
	`token_hash` text NOT NULL,
	`created_at` integer NOT NULL,
	`opened_at` integer,
	`connected_at` integer,
	`expires_at` integer NOT NULL,
	FOREIGN KEY (`organization_id`) REFERENCES `organizations`(`id`) ON UPDATE no action ON DELETE no action
);
--> statement-breakpoint
CREATE UNIQUE INDEX `connect_sessions_token` ON `connect_sessions` (`token_hash`);--> statement-breakpoint
CREATE INDEX `connect_sessions_tenant` ON `connect_sessions` (`organization_id`,`tenant_id`);--> statement-breakpoint
CREATE INDEX `connect_sessions_expires` ON `connect_sessions` (`expires_at`);