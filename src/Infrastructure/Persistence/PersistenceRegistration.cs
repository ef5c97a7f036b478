using Dashboard.Infrastructure.Lifecycle;
using Microsoft.AspNetCore.Identity;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;

namespace Dashboard.Infrastructure.Persistence;

public static class PersistenceRegistration
{
    /// <summary>The database on SQLite. Pages and use cases open it through <see cref="AppDatabase"/>; the scoped context is for Identity's stores.</summary>
    public static IServiceCollection AddPersistence(this IServiceCollection services, string connectionString)
    {
        services.Configure<IdentityOptions>(identity => identity.Stores.SchemaVersion = AppDbContext.IdentityShape);
        services.AddSingleton<SqlitePragmas>();
        services.AddDbContextFactory<AppDbContext>((provider, options) => options
            .UseDashboardSqlite(connectionString)
            .AddInterceptors(provider.GetRequiredService<SqlitePragmas>()));
        services.AddSingleton<AppDatabase>();
        services.AddSingleton<DatabaseStart>();
        services.AddSingleton<InstallationIdentity>();
        services.AddSingleton<RentBan>();
        services.AddSingleton<Quarantine>();
        return services;
    }
}
