// Run once, when the database is made: the nodes' own user, who may read and write their database and nothing else.
db.getSiblingDB("tonesa").createUser({
  user: "tonesa",
  pwd: process.env.TONESA_PASSWORD,
  roles: [{ role: "readWrite", db: "tonesa" }],
});
