using Dashboard.Domain.Budgets;
using Dashboard.Domain.Jobs;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;

namespace Dashboard.Infrastructure.Persistence.Configurations;

internal sealed class BudgetConfiguration : IEntityTypeConfiguration<Budget>
{
    public void Configure(EntityTypeBuilder<Budget> builder)
    {
        builder.HasKey(e => e.Id);
        builder.Property(e => e.Subject).HasMaxLength(40);
        builder.Ignore(e => e.Free);

        // Two limits for the same thing would leave people guessing which one counts.
        builder.HasIndex(e => new { e.TeamId, e.Scope, e.Subject, e.Period, e.Simulated }).IsUnique().HasFilter("\"EndedAt\" IS NULL");
    }
}

internal sealed class BudgetHoldConfiguration : IEntityTypeConfiguration<BudgetHold>
{
    public void Configure(EntityTypeBuilder<BudgetHold> builder)
    {
        builder.HasIndex(e => new { e.BudgetId, e.InstanceId }).IsUnique().HasFilter("\"InstanceId\" IS NOT NULL");
        builder.HasIndex(e => new { e.BudgetId, e.JobId }, "IX_BudgetHolds_Promise").IsUnique().HasFilter("\"InstanceId\" IS NULL");
        builder.HasIndex(e => e.InstanceId);
        builder.HasIndex(e => e.JobId);
    }
}

internal sealed class RoleLimitConfiguration : IEntityTypeConfiguration<RoleLimit>
{
    public void Configure(EntityTypeBuilder<RoleLimit> builder) => builder.HasKey(e => new { e.TeamId, e.Role });
}

internal sealed class DecisionConfiguration : IEntityTypeConfiguration<Decision>
{
    public void Configure(EntityTypeBuilder<Decision> builder)
    {
        builder.HasIndex(e => e.JobId);
        builder.Property(e => e.Reason).HasMaxLength(200);
        builder.IsAppendOnly();
    }
}
