CREATE TABLE `oauth_challenges` (
	`name` text PRIMARY KEY NOT NULL,
	`created_at` integer NOT NULL
);
