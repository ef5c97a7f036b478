using System.Data.Common;
using Microsoft.EntityFrameworkCore.Diagnostics;

namespace Dashboard.Infrastructure.Persistence;

/// <summary>What every SQLite connection has to be told, because the file does not remember it.</summary>
internal sealed class SqlitePragmas : DbConnectionInterceptor
{
    // secure_delete: a replaced key must not stay readable in the file's free pages.
    // synchronous=FULL: an intent that is committed before a rent call must survive a power cut.
    // recursive_triggers: without it REPLACE removes a row of an append-only table behind its trigger's back.
    private const string Pragmas = "PRAGMA busy_timeout=30000; PRAGMA foreign_keys=ON; PRAGMA secure_delete=ON; PRAGMA synchronous=FULL; PRAGMA recursive_triggers=ON;";

    public override void ConnectionOpened(DbConnection connection, ConnectionEndEventData eventData)
    {
        using var command = connection.CreateCommand();
        command.CommandText = Pragmas;
        command.ExecuteNonQuery();
    }

    public override async Task ConnectionOpenedAsync(DbConnection connection, ConnectionEndEventData eventData, CancellationToken cancellationToken = default)
    {
        await using var command = connection.CreateCommand();
        command.CommandText = Pragmas;
        await command.ExecuteNonQueryAsync(cancellationToken);
    }
}
