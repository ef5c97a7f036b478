using Dashboard.Domain.Instances;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;

namespace Dashboard.Infrastructure.Persistence.Configurations;

internal sealed class InstanceConfiguration : IEntityTypeConfiguration<Instance>
{
    public void Configure(EntityTypeBuilder<Instance> builder)
    {
        builder.HasKey(e => e.Id);
        builder.Property(e => e.Parking).AsJson();
        builder.Property(e => e.Silence).AsJson();
        builder.HasIndex(e => e.Label).IsUnique();
        builder.HasIndex(e => new { e.ConnectionId, e.ContractId });
        builder.HasIndex(e => new { e.TeamId, e.Status });
        builder.HasIndex(e => new { e.TeamId, e.MachineId });

        // Renting twice for one job is a constraint error, whatever else goes wrong. Interrupted, draining and destroying
        // rows do not block the next attempt. Both engines know filtered indexes.
        builder.HasIndex(e => e.JobId, "IX_Instances_Working").IsUnique()
            .HasFilter("\"Status\" IN ('Intent', 'Sent', 'Unknown', 'Booting', 'Ready', 'Running', 'Parked')");
    }
}
