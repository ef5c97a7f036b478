using Microsoft.AspNetCore.Identity;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Design;
using Microsoft.Extensions.DependencyInjection;

namespace Dashboard.Infrastructure.Persistence;

/// <summary>For <c>dotnet ef migrations add</c> alone.</summary>
internal sealed class DesignTimeContextFactory : IDesignTimeDbContextFactory<AppDbContext>
{
    // Identity asks the application's services which of its tables there are; without them it falls back to its oldest shape.
    public AppDbContext CreateDbContext(string[] args) =>
        new((DbContextOptions<AppDbContext>)new DbContextOptionsBuilder<AppDbContext>()
            .UseDashboardSqlite("Data Source=design.db")
            .UseApplicationServiceProvider(new ServiceCollection()
                .Configure<IdentityOptions>(identity => identity.Stores.SchemaVersion = AppDbContext.IdentityShape)
                .BuildServiceProvider())
            .Options);
}
