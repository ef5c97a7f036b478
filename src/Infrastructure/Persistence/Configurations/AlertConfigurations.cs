using Dashboard.Domain.Alerts;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;

namespace Dashboard.Infrastructure.Persistence.Configurations;

internal sealed class AlertRuleConfiguration : IEntityTypeConfiguration<AlertRule>
{
    public void Configure(EntityTypeBuilder<AlertRule> builder)
    {
        builder.HasKey(e => e.Id);
        builder.HasIndex(e => e.TeamId);
    }
}

internal sealed class AlertMoveConfiguration : IEntityTypeConfiguration<AlertMove>
{
    public void Configure(EntityTypeBuilder<AlertMove> builder) => builder.HasKey(e => new { e.RuleId, e.Number });
}
