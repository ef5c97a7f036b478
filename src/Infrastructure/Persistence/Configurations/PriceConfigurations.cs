using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;

namespace Dashboard.Infrastructure.Persistence.Configurations;

internal sealed class PriceSeriesConfiguration : IEntityTypeConfiguration<PriceSeriesRow>
{
    public void Configure(EntityTypeBuilder<PriceSeriesRow> builder)
    {
        builder.ToTable("PriceSeries");
        builder.HasKey(e => e.Id);
        builder.Ignore(e => e.Market);
        builder.Ignore(e => e.Series);
        builder.HasIndex(e => new { e.Provider, e.BaseUrl, e.GpuName, e.VramGb, e.GpuCount, e.Rental, e.VerifiedOnly }).IsUnique();
    }
}

internal sealed class PriceWatchConfiguration : IEntityTypeConfiguration<PriceWatch>
{
    public void Configure(EntityTypeBuilder<PriceWatch> builder)
    {
        builder.ToTable("PriceWatches");
        builder.HasKey(e => new { e.TeamId, e.SeriesId });
    }
}

internal sealed class PriceAlertConfiguration : IEntityTypeConfiguration<PriceAlertRow>
{
    public void Configure(EntityTypeBuilder<PriceAlertRow> builder)
    {
        builder.ToTable("PriceAlerts");
        builder.HasKey(e => e.Id);
        builder.HasIndex(e => e.TeamId);
        builder.Ignore(e => e.Filter);
        builder.Property(e => e.Hosts).AsJson();
        builder.Property(e => e.Answers).AsJson();
        builder.Property(e => e.GpuNames).HasMaxLength(1_000);
    }
}

internal sealed class PriceAccountConfiguration : IEntityTypeConfiguration<PriceAccountRow>
{
    public void Configure(EntityTypeBuilder<PriceAccountRow> builder)
    {
        builder.ToTable("PriceAccounts");
        builder.HasKey(e => new { e.Provider, e.BaseUrl, e.AccountId });
    }
}

// The keys of the four tables below are the order they are read and pruned in: a series, then time.
internal sealed class PriceOfferConfiguration : IEntityTypeConfiguration<PriceOfferRow>
{
    public void Configure(EntityTypeBuilder<PriceOfferRow> builder)
    {
        builder.ToTable(KeyedTables.Offers);
        builder.HasKey(e => new { e.SeriesId, e.T, e.OfferId });
    }
}

internal sealed class PricePointConfiguration : IEntityTypeConfiguration<PricePointRow>
{
    public void Configure(EntityTypeBuilder<PricePointRow> builder)
    {
        builder.ToTable(KeyedTables.Points);
        builder.HasKey(e => new { e.SeriesId, e.T });
        builder.Property(e => e.Kind).HasConversion<int>();
    }
}

internal sealed class PriceHourConfiguration : IEntityTypeConfiguration<PriceHourRow>
{
    public void Configure(EntityTypeBuilder<PriceHourRow> builder)
    {
        builder.ToTable(KeyedTables.Hours);
        builder.HasKey(e => new { e.SeriesId, e.T });
    }
}

internal sealed class PriceDayConfiguration : IEntityTypeConfiguration<PriceDayRow>
{
    public void Configure(EntityTypeBuilder<PriceDayRow> builder)
    {
        builder.ToTable(KeyedTables.Days);
        builder.HasKey(e => new { e.SeriesId, e.T });
    }
}
