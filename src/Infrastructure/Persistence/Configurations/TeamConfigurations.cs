using Dashboard.Domain.Costs;
using Dashboard.Domain.Costs.Reconciliation;
using Dashboard.Domain.Inbox;
using Dashboard.Domain.Teams;
using Dashboard.Infrastructure.Costs;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;

namespace Dashboard.Infrastructure.Persistence.Configurations;

internal sealed class TeamConfiguration : IEntityTypeConfiguration<Team>
{
    public void Configure(EntityTypeBuilder<Team> builder)
    {
        builder.HasKey(e => e.Id);
        builder.HasIndex(e => e.Slug).IsUnique();
    }
}

internal sealed class MembershipConfiguration : IEntityTypeConfiguration<Membership>
{
    public void Configure(EntityTypeBuilder<Membership> builder)
    {
        builder.HasKey(e => new { e.TeamId, e.UserId });
        builder.HasIndex(e => e.UserId);
    }
}

internal sealed class ProjectConfiguration : IEntityTypeConfiguration<Project>
{
    public void Configure(EntityTypeBuilder<Project> builder)
    {
        builder.HasKey(e => e.Id);
        builder.HasIndex(e => new { e.TeamId, e.Name }).IsUnique();
    }
}

internal sealed class ConnectionConfiguration : IEntityTypeConfiguration<Connection>
{
    public void Configure(EntityTypeBuilder<Connection> builder)
    {
        builder.HasKey(e => e.Id);
        builder.HasIndex(e => e.TeamId);

        // Sets of flags outgrow the short text that a single value is stored as.
        builder.Property(e => e.Granted).HasConversion<int>();
        builder.Property(e => e.Refused).HasConversion<int>();
    }
}

internal sealed class LedgerEntryConfiguration : IEntityTypeConfiguration<LedgerEntry>
{
    public void Configure(EntityTypeBuilder<LedgerEntry> builder)
    {
        builder.HasIndex(e => new { e.TeamId, e.PeriodStart });
        builder.HasIndex(e => e.JobId);

        // An interval is charged once, whoever tries again; corrections are kept single by the line they settle.
        builder.HasIndex(e => new { e.InstanceId, e.Kind, e.PeriodStart }).IsUnique().HasFilter("\"Kind\" <> 'Adjustment'");
        builder.IsAppendOnly();
        builder.WhenAdded($"""
            INSERT INTO "SpendSteps" ("TeamId", "Step", "InstanceId", "Kind", "ProjectId", "TagsKey", "Tags", "JobId", "PersonId", "GpuName", "Provider", "Simulated", "Micros", "EstimatedMicros", "Milliseconds")
            VALUES (NEW."TeamId", NEW."PeriodStart" / {SpendStep.Length}, NEW."InstanceId", NEW."Kind", NEW."ProjectId", NEW."Tags", NEW."Tags", NEW."JobId", NEW."PersonId", NEW."GpuName", NEW."Market_Provider", NEW."Market_Simulated",
                NEW."Amount_Micros", NEW."Estimated" * NEW."Amount_Micros", NEW."PeriodEnd" - NEW."PeriodStart")
            ON CONFLICT ("TeamId", "Step", "InstanceId", "Kind", "ProjectId", "TagsKey") DO UPDATE SET
                "Micros" = "Micros" + excluded."Micros", "EstimatedMicros" = "EstimatedMicros" + excluded."EstimatedMicros", "Milliseconds" = "Milliseconds" + excluded."Milliseconds"
            """.ReplaceLineEndings(" "));
    }
}

internal sealed class SpendStepConfiguration : IEntityTypeConfiguration<SpendStep>
{
    public void Configure(EntityTypeBuilder<SpendStep> builder) => builder.HasKey(e => new { e.TeamId, e.Step, e.InstanceId, e.Kind, e.ProjectId, e.TagsKey });
}

internal sealed class BillLineConfiguration : IEntityTypeConfiguration<BillLine>
{
    public void Configure(EntityTypeBuilder<BillLine> builder)
    {
        builder.HasIndex(e => new { e.InstanceId, e.Kind, e.Month }).IsUnique();
        builder.HasIndex(e => new { e.TeamId, e.Month });
        builder.HasIndex(e => new { e.ConnectionId, e.Month });
    }
}

internal sealed class BillReadingConfiguration : IEntityTypeConfiguration<BillReading>
{
    public void Configure(EntityTypeBuilder<BillReading> builder)
    {
        builder.HasKey(e => e.ConnectionId);
        builder.Property(e => e.ConnectionId).ValueGeneratedNever();
    }
}

internal sealed class ForgottenRentalConfiguration : IEntityTypeConfiguration<ForgottenRental>
{
    public void Configure(EntityTypeBuilder<ForgottenRental> builder) => builder.HasIndex(e => new { e.ConnectionId, e.ContractId, e.Month }).IsUnique();
}

internal sealed class InboxConfiguration : IEntityTypeConfiguration<InboxItem>
{
    public void Configure(EntityTypeBuilder<InboxItem> builder) =>
        builder.HasIndex(e => new { e.TeamId, e.Key }).IsUnique().HasFilter("\"ResolvedAt\" IS NULL");
}

internal sealed class OutboxConfiguration : IEntityTypeConfiguration<OutboxMessage>
{
    public void Configure(EntityTypeBuilder<OutboxMessage> builder)
    {
        builder.HasIndex(e => e.DedupKey).IsUnique();
        builder.HasIndex(e => e.SentAt);
    }
}

internal sealed class NoticeConfiguration : IEntityTypeConfiguration<Notice>
{
    public void Configure(EntityTypeBuilder<Notice> builder)
    {
        // Delivered once, whoever tries again.
        builder.HasIndex(e => e.MessageId).IsUnique();
        builder.HasIndex(e => new { e.TeamId, e.Id });
    }
}

internal sealed class ApiTokenConfiguration : IEntityTypeConfiguration<ApiToken>
{
    public void Configure(EntityTypeBuilder<ApiToken> builder) => builder.HasIndex(e => e.Hash).IsUnique();
}

internal sealed class InstallationConfiguration : IEntityTypeConfiguration<Installation>
{
    public void Configure(EntityTypeBuilder<Installation> builder) => builder.Property(e => e.Id).ValueGeneratedNever();
}

internal sealed class UnknownMachineConfiguration : IEntityTypeConfiguration<UnknownMachine>
{
    public void Configure(EntityTypeBuilder<UnknownMachine> builder) => builder.HasIndex(e => new { e.ConnectionId, e.ContractId });
}
