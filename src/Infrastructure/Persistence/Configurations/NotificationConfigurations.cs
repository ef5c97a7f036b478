using Dashboard.Domain.Notifications;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;

namespace Dashboard.Infrastructure.Persistence.Configurations;

internal sealed class ChannelConfiguration : IEntityTypeConfiguration<NotificationChannel>
{
    public void Configure(EntityTypeBuilder<NotificationChannel> builder)
    {
        builder.ToTable("Channels");
        builder.HasKey(e => e.Id);
        builder.HasIndex(e => e.TeamId);
        builder.Property(e => e.Name).HasMaxLength(60);
        builder.Property(e => e.Topics).HasConversion<int>(); // a set of flags
        builder.ComplexProperty(e => e.Quiet, quiet => quiet.Property(q => q.Zone).HasMaxLength(64));
    }
}

internal sealed class DeliveryConfiguration : IEntityTypeConfiguration<Delivery>
{
    public void Configure(EntityTypeBuilder<Delivery> builder)
    {
        // Made once, whoever fans the message out again.
        builder.HasIndex(e => new { e.ChannelId, e.MessageId }).IsUnique();
        builder.HasIndex(e => e.NextTryAt).HasFilter("\"SentAt\" IS NULL AND \"DeadAt\" IS NULL");
        builder.HasIndex(e => new { e.TeamId, e.Id });
        builder.HasIndex(e => e.SentAt);
    }
}
