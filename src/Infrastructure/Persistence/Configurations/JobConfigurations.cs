using System.Text.Json;
using Dashboard.Domain.Jobs;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.ChangeTracking;
using Microsoft.EntityFrameworkCore.Metadata.Builders;

namespace Dashboard.Infrastructure.Persistence.Configurations;

internal sealed class JobConfiguration : IEntityTypeConfiguration<Job>
{
    public void Configure(EntityTypeBuilder<Job> builder)
    {
        builder.HasKey(e => e.Id);
        builder.HasIndex(e => new { e.TeamId, e.Number }).IsUnique();
        builder.HasIndex(e => new { e.TeamId, e.IdempotencyKey }).IsUnique();
        builder.HasIndex(e => e.Status);
        builder.HasIndex(e => new { e.TeamId, e.CreatedAt });
        builder.Property(e => e.Name).HasMaxLength(120);
        builder.Property(e => e.IdempotencyKey).HasMaxLength(120);
        builder.Property(e => e.Spec).AsJson(TrainingSpec.Json);
        builder.Property(e => e.Needs).AsJson();
        builder.Property(e => e.Limits).AsJson();
        builder.Property(e => e.Estimate).AsJson();
        builder.Property(e => e.Order).AsJson();
        builder.Property(e => e.Ask).AsJson();
    }
}

internal sealed class AttemptConfiguration : IEntityTypeConfiguration<Attempt>
{
    public void Configure(EntityTypeBuilder<Attempt> builder)
    {
        builder.HasKey(e => e.Id);
        builder.HasIndex(e => new { e.JobId, e.Number }).IsUnique();
        builder.Property(e => e.Health).AsJson();
        builder.Property(e => e.Pace).AsJson();
        builder.Property(e => e.Pauses).AsJson();
    }
}

internal sealed class JobEventConfiguration : IEntityTypeConfiguration<JobEvent>
{
    public void Configure(EntityTypeBuilder<JobEvent> builder) => builder.HasIndex(e => new { e.JobId, e.At });
}

internal sealed class ArtifactConfiguration : IEntityTypeConfiguration<Artifact>
{
    public void Configure(EntityTypeBuilder<Artifact> builder) => builder.HasIndex(e => new { e.JobId, e.AttemptNumber, e.Path }).IsUnique();
}

internal static class JsonColumns
{
    /// <summary>Stores an immutable value as one JSON text.</summary>
    public static void AsJson<T>(this PropertyBuilder<T> property, JsonSerializerOptions? options = null)
    {
        property.HasConversion(value => JsonSerializer.Serialize(value, options), text => JsonSerializer.Deserialize<T>(text, options)!);
        property.Metadata.SetValueComparer(new ValueComparer<T>((a, b) => Equals(a, b), value => value!.GetHashCode(), value => value));
    }
}
